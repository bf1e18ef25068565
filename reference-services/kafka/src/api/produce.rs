//! Produce and InitProducerId.

use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{
    ApiKey, InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse,
};

use crate::error_code;
use crate::state::Shared;

pub(super) fn produce(shared: &Shared, request: ProduceRequest) -> ProduceResponse {
    let mut state = shared.state();
    let refused = request.transactional_id.is_some();
    let mut responses = Vec::with_capacity(request.topic_data.len());
    for topic in request.topic_data {
        let ordered = state.faults.take_error(ApiKey::Produce, Some(topic.name.as_str()));
        let ordered = if refused { Some(error_code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED) } else { ordered };
        let partitions = topic
            .partition_data
            .into_iter()
            .map(|partition| {
                let records = partition.records.unwrap_or_default();
                let stored = match ordered {
                    Some(code) => Err(code),
                    None => shared.append(&mut state, topic.name.as_str(), partition.index, records),
                };
                let answer = PartitionProduceResponse::default().with_index(partition.index);
                match stored {
                    Ok((base, start)) => answer.with_base_offset(base).with_log_start_offset(start),
                    Err(code) => answer.with_base_offset(-1).with_error_code(code),
                }
                .with_log_append_time_ms(-1)
            })
            .collect();
        responses
            .push(TopicProduceResponse::default().with_name(topic.name).with_partition_responses(partitions));
    }
    drop(state);
    shared.news.notify_waiters();
    ProduceResponse::default().with_responses(responses)
}

pub(super) fn init_producer_id(shared: &Shared, request: InitProducerIdRequest) -> InitProducerIdResponse {
    let mut state = shared.state();
    let answer = InitProducerIdResponse::default().with_producer_id((-1).into()).with_producer_epoch(-1);
    if request.transactional_id.is_some() {
        return answer.with_error_code(error_code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    if let Some(code) = state.faults.take_error(ApiKey::InitProducerId, None) {
        return answer.with_error_code(code);
    }
    let id = state.next_producer_id;
    state.next_producer_id += 1;
    answer.with_producer_id(id.into()).with_producer_epoch(0)
}
