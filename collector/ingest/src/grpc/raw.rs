//! A unary gRPC method whose request stays bytes.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use bytes::{Buf, Bytes};
use futures::future::BoxFuture;
use http::{Request, Response};
use prost::Message;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Code, Status};

use crate::{Format, Ingest, Origin, Refusal, Transport};

/// A service with one method.
pub(super) trait Unary: NamedService + Clone + Send + Sync + 'static {
    const METHOD: &'static str;
    const FORMAT: Format;
    type Answer: Message + Default + 'static;

    fn ingest(&self) -> &Ingest;

    fn take(&self, origin: Origin, body: Bytes)
    -> impl Future<Output = Result<Self::Answer, Refusal>> + Send;
}

pub(super) async fn serve<S: Unary>(
    service: S,
    request: Request<Body>,
) -> Result<Response<tonic::body::Body>, Infallible> {
    let method = request.uri().path().strip_prefix('/').and_then(|path| path.strip_prefix(S::NAME));
    if method.and_then(|method| method.strip_prefix('/')) != Some(S::METHOD) {
        let only = format!("{} has only the method {}", S::NAME, S::METHOD);
        return Ok(Status::new(Code::Unimplemented, only).into_http());
    }
    let origin = Origin::of(&request, Transport::Grpc, S::FORMAT);
    let ingest = service.ingest().clone();
    let limits = ingest.config().body;
    let reached = Arc::new(AtomicBool::new(false));
    let mut grpc = Grpc::new(RawCodec(PhantomData))
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Zstd)
        .max_decoding_message_size(limits.decompressed_bytes_max);
    let mut answer = std::pin::pin!(grpc.unary(Call { service, origin, reached: reached.clone() }, request));
    let time = ingest.config().message_time_max;
    let response = match tokio::time::timeout(time, answer.as_mut()).await {
        Ok(response) => response,
        // Only the message has a time to arrive in; the store has its own.
        Err(_) if reached.load(Ordering::Relaxed) => answer.await,
        Err(_) => {
            ingest.unread(&origin, "malformed");
            let late = format!("the message did not arrive within {} s", time.as_secs_f32());
            return Ok(Status::new(Code::DeadlineExceeded, late).into_http());
        }
    };
    if !reached.load(Ordering::Relaxed) {
        count_unread(&ingest, &origin, response.headers());
    }
    Ok(response)
}

/// A message that tonic refused by itself: too large, or not what gRPC's framing says.
fn count_unread(ingest: &Ingest, origin: &Origin, headers: &http::HeaderMap) {
    let Some(status) = Status::from_header_map(headers) else { return };
    let result = match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => "too_large",
        Code::Ok => return,
        _ => "malformed",
    };
    ingest.unread(origin, result);
}

struct Call<S> {
    service: S,
    origin: Origin,
    reached: Arc<AtomicBool>,
}

impl<S: Unary> UnaryService<Bytes> for Call<S> {
    type Response = S::Answer;
    type Future = BoxFuture<'static, Result<tonic::Response<S::Answer>, Status>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        self.reached.store(true, Ordering::Relaxed);
        let (service, origin) = (self.service.clone(), self.origin);
        Box::pin(async move {
            match service.take(origin, request.into_inner()).await {
                Ok(answer) => Ok(tonic::Response::new(answer)),
                Err(refusal) => Err(refusal.to_grpc()),
            }
        })
    }
}

struct RawCodec<T>(PhantomData<T>);

impl<T: Message + 'static> Codec for RawCodec<T> {
    type Encode = T;
    type Decode = Bytes;
    type Encoder = MessageEncoder<T>;
    type Decoder = BytesDecoder;

    fn encoder(&mut self) -> Self::Encoder {
        MessageEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        BytesDecoder
    }
}

struct MessageEncoder<T>(PhantomData<T>);

impl<T: Message> Encoder for MessageEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(out).map_err(|error| Status::internal(error.to_string()))
    }
}

struct BytesDecoder;

impl Decoder for BytesDecoder {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}
