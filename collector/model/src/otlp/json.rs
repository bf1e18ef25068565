//! OTLP traces in JSON: `ExportTraceServiceRequest` by OTLP's own mapping (ids in hex, enumerations as numbers).
//!
//! Lenient where senders differ: 64-bit numbers quoted or not, ids in either case, names of fields in snake case too,
//! names of enumeration values, nulls. Strict in the rest: a value of another type is malformed. Rows are filled while
//! the text is walked, so that limits hold before anything is kept.

mod scalars;
mod span;
mod value;

use std::sync::Arc;

use self::scalars::{add, list, unsigned};
use self::value::Values;
use super::lift::lift_resource;
use crate::codec::{DecodeError, DecodeLimits, Decoded, Rejection};
use crate::json_walk::{JsonError, JsonWalk};
use crate::{EntityRef, Resource, Scope, Span};

/// Why a request cannot be read.
pub(super) enum Reason {
    Json(JsonError),
    TooLarge(String),
}

impl From<JsonError> for Reason {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

type Read<T> = Result<T, Reason>;

/// Reads an `ExportTraceServiceRequest`. Spans with unusable ids are rejected one by one.
///
/// # Errors
/// When the body is no such JSON, or has more spans than allowed.
pub fn decode_json(body: &[u8], limits: &DecodeLimits) -> Result<Decoded, DecodeError> {
    let mut decoded = Decoded::default();
    let mut read = || -> Read<()> {
        let mut walk = JsonWalk::new(body)?;
        let mut request = Request { values: Values::new(limits), decoded: &mut decoded, position: 0 };
        walk.object()?;
        while let Some(field) = walk.field()? {
            match &*field {
                "resourceSpans" | "resource_spans" => {
                    list(&mut walk, |walk| request.resource_spans(walk))?;
                }
                _ => walk.skip()?,
            }
        }
        walk.end()?;
        Ok(())
    };
    match read() {
        Ok(()) => Ok(decoded),
        Err(Reason::TooLarge(reason)) => Err(DecodeError::too_large(reason)),
        Err(Reason::Json(error)) => {
            Err(DecodeError::invalid(format!("not an OTLP trace request in JSON: {error}")))
        }
    }
}

struct Request<'r, 'l> {
    values: Values<'l>,
    decoded: &'r mut Decoded,
    position: u32,
}

/// A span before its resource and scope are known: JSON does not order fields.
struct Pending {
    position: u32,
    span: Result<Span, String>,
}

impl Request<'_, '_> {
    fn resource_spans(&mut self, walk: &mut JsonWalk<'_>) -> Read<()> {
        let mut resource = Resource::default();
        let mut resource_truncated = false;
        let mut groups: Vec<(Scope, bool, Vec<Pending>)> = Vec::new();
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "resource" => {
                    self.values.truncated = false;
                    let schema_url = std::mem::take(&mut resource.schema_url);
                    resource = self.resource(walk)?;
                    resource.schema_url = schema_url;
                    resource_truncated |= self.values.truncated;
                }
                "scopeSpans" | "scope_spans" => {
                    list(walk, |walk| {
                        groups.push(self.scope_spans(walk)?);
                        Ok(())
                    })?;
                }
                "schemaUrl" | "schema_url" => {
                    self.values.truncated = false;
                    resource.schema_url = self.values.text(walk)?;
                    resource_truncated |= self.values.truncated;
                }
                _ => walk.skip()?,
            }
        }
        let resource = Arc::new(resource);
        for (scope, scope_truncated, spans) in groups {
            let scope = Arc::new(scope);
            for Pending { position, span } in spans {
                match span {
                    Ok(mut span) => {
                        lift_resource(&resource, &mut span);
                        span.resource = resource.clone();
                        span.scope = scope.clone();
                        span.flags.truncated |= resource_truncated || scope_truncated;
                        self.decoded.spans.push(span);
                    }
                    Err(reason) => self.decoded.rejected.push(Rejection { position, reason }),
                }
            }
        }
        Ok(())
    }

    fn resource(&mut self, walk: &mut JsonWalk<'_>) -> Read<Resource> {
        let mut resource = Resource::default();
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "attributes" => {
                    resource.attributes = self.values.attributes(walk, &mut resource.dropped_attributes)?;
                }
                "droppedAttributesCount" | "dropped_attributes_count" => {
                    add(&mut resource.dropped_attributes, unsigned(walk)?);
                }
                "entityRefs" | "entity_refs" => {
                    list(walk, |walk| {
                        resource.entities.push(self.entity(walk)?);
                        Ok(())
                    })?;
                }
                _ => walk.skip()?,
            }
        }
        Ok(resource)
    }

    fn entity(&mut self, walk: &mut JsonWalk<'_>) -> Read<EntityRef> {
        let mut entity = EntityRef::default();
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "schemaUrl" | "schema_url" => entity.schema_url = self.values.text(walk)?,
                "type" => entity.kind = self.values.text(walk)?,
                "idKeys" | "id_keys" => self.texts(walk, &mut entity.id_keys)?,
                "descriptionKeys" | "description_keys" => self.texts(walk, &mut entity.description_keys)?,
                _ => walk.skip()?,
            }
        }
        Ok(entity)
    }

    fn texts(&mut self, walk: &mut JsonWalk<'_>, texts: &mut Vec<Arc<str>>) -> Read<()> {
        list(walk, |walk| {
            texts.push(self.values.text(walk)?);
            Ok(())
        })
    }

    fn scope_spans(&mut self, walk: &mut JsonWalk<'_>) -> Read<(Scope, bool, Vec<Pending>)> {
        let mut scope = Scope::default();
        let mut truncated = false;
        let mut spans = Vec::new();
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "scope" => {
                    self.values.truncated = false;
                    let schema_url = std::mem::take(&mut scope.schema_url);
                    scope = self.scope(walk)?;
                    scope.schema_url = schema_url;
                    truncated |= self.values.truncated;
                }
                "spans" => {
                    list(walk, |walk| {
                        let max = self.values.limits.spans_max;
                        if self.position as usize >= max {
                            return Err(Reason::TooLarge(format!(
                                "too many spans: a request may hold {max}"
                            )));
                        }
                        let position = self.position;
                        self.position = self.position.saturating_add(1);
                        let span = self.span(walk)?;
                        spans.push(Pending { position, span });
                        Ok(())
                    })?;
                }
                "schemaUrl" | "schema_url" => {
                    self.values.truncated = false;
                    scope.schema_url = self.values.text(walk)?;
                    truncated |= self.values.truncated;
                }
                _ => walk.skip()?,
            }
        }
        Ok((scope, truncated, spans))
    }

    fn scope(&mut self, walk: &mut JsonWalk<'_>) -> Read<Scope> {
        let mut scope = Scope::default();
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "name" => scope.name = self.values.text(walk)?,
                "version" => scope.version = self.values.text(walk)?,
                "attributes" => {
                    scope.attributes = self.values.attributes(walk, &mut scope.dropped_attributes)?;
                }
                "droppedAttributesCount" | "dropped_attributes_count" => {
                    add(&mut scope.dropped_attributes, unsigned(walk)?);
                }
                _ => walk.skip()?,
            }
        }
        Ok(scope)
    }
}
