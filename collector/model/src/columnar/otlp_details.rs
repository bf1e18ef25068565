//! Events, links, resources and scopes of OTLP as texts of typed values, written straight from the bytes.

use std::fmt::Write as _;

use super::chunk::{Origin, ValueType};
use super::details::{
    open_event, open_link, separate, write_bool, write_bytes, write_double, write_empty, write_int,
    write_tagged_text,
};
use super::otlp::{Walk, any_value, key_value};
use super::proto::{Field, Odd, Wire};
use crate::otlp;
use crate::text::write_json_text;

/// Nested values deeper than this are left to the general decoder, which knows a limit too.
const DEPTH_MAX: u32 = 16;
/// Up to so many attributes repeated keys are looked for one by one.
const FEW: usize = 32;

/// A key and its value, when it has one.
type Pair<'b> = (&'b str, Option<&'b [u8]>);

impl Walk<'_> {
    /// Events as one text.
    pub(super) fn events(&mut self, events: &[&[u8]]) -> Result<u32, Odd> {
        if events.is_empty() {
            return Ok(0);
        }
        if events.len() > self.build.limits.events_max {
            return Err(Odd);
        }
        let mut out = String::from("[");
        for (i, bytes) in events.iter().enumerate() {
            separate(i, &mut out);
            self.event(bytes, &mut out)?;
        }
        out.push(']');
        Ok(self.build.chunk.texts.code(&out))
    }

    fn event(&mut self, bytes: &[u8], out: &mut String) -> Result<(), Odd> {
        let (mut at_ns, mut name, mut dropped, mut attributes) = (0, "", 0, Vec::new());
        let mut event = Wire(bytes);
        while let Some((number, field)) = event.next()? {
            match number {
                1 => at_ns = field.fixed64()?,
                2 => name = field.text()?,
                3 => attributes.push(field.bytes()?),
                4 => dropped = field.u32()?,
                _ => {}
            }
        }
        let name = self.build.cut(name);
        let code = self.build.chunk.texts.code(name);
        let row = self.build.chunk.len() as u32;
        self.build.chunk.event_names.push((row, code));
        open_event(at_ns, name, out);
        self.attributes(&attributes, out)?;
        let _ = write!(out, ",\"dropped\":{dropped}}}");
        Ok(())
    }

    /// Links as one text.
    pub(super) fn links(&mut self, links: &[&[u8]]) -> Result<u32, Odd> {
        if links.is_empty() {
            return Ok(0);
        }
        if links.len() > self.build.limits.links_max {
            return Err(Odd);
        }
        let mut out = String::from("[");
        for (i, bytes) in links.iter().enumerate() {
            separate(i, &mut out);
            self.link(bytes, &mut out)?;
        }
        out.push(']');
        Ok(self.build.chunk.texts.code(&out))
    }

    fn link(&mut self, bytes: &[u8], out: &mut String) -> Result<(), Odd> {
        let (mut trace_id, mut span_id): (&[u8], &[u8]) = (&[], &[]);
        let (mut tracestate, mut dropped, mut flags, mut attributes) = ("", 0, 0, Vec::new());
        let mut link = Wire(bytes);
        while let Some((number, field)) = link.next()? {
            match number {
                1 => trace_id = field.bytes()?,
                2 => span_id = field.bytes()?,
                3 => tracestate = field.text()?,
                4 => attributes.push(field.bytes()?),
                5 => dropped = field.u32()?,
                6 => flags = field.fixed32()?,
                _ => {}
            }
        }
        // A link to nowhere is dropped and counted by the general decoder.
        let trace_id = otlp::trace_id(trace_id).map_err(|_| Odd)?;
        let span_id = otlp::span_id(span_id, "span_id").map_err(|_| Odd)?;
        let tracestate = self.build.cut(tracestate);
        open_link(trace_id.as_u128(), span_id.as_u64(), tracestate, out);
        self.attributes(&attributes, out)?;
        let _ = write!(out, ",\"flags\":{flags},\"dropped\":{dropped}}}");
        Ok(())
    }

    /// The origin of a resource without a scope, and the code of its service's name.
    pub(super) fn resource(&mut self, bytes: &[u8], schema_url: &str) -> Result<(Origin, u32), Odd> {
        let (mut dropped, mut attributes, mut entities) = (0, Vec::new(), Vec::new());
        let mut resource = Wire(bytes);
        while let Some((number, field)) = resource.next()? {
            match number {
                1 => attributes.push(field.bytes()?),
                2 => dropped = field.u32()?,
                3 => entities.push(field.bytes()?),
                _ => {}
            }
        }
        let mut origin = Origin::default();
        if attributes.is_empty() && entities.is_empty() && dropped == 0 && schema_url.is_empty() {
            return Ok((origin, 0));
        }
        let mut out = String::from("{\"attributes\":");
        let pairs = self.attributes(&attributes, &mut out)?;
        let schema_url = self.build.cut(schema_url);
        let _ = write!(out, ",\"dropped\":{dropped},\"schema_url\":");
        write_json_text(schema_url, &mut out);
        if !entities.is_empty() {
            out.push_str(",\"entities\":[");
            for (i, bytes) in entities.iter().enumerate() {
                separate(i, &mut out);
                self.entity(bytes, &mut out)?;
            }
            out.push(']');
        }
        out.push('}');
        origin.resource = self.build.chunk.texts.code(&out);
        let mut service = 0;
        for (key, value) in pairs {
            let (kind, text) = self.value(value)?;
            if kind == ValueType::Text && text != 0 {
                match key {
                    "service.name" => service = text,
                    "service.instance.id" => origin.instance = text,
                    "service.version" => origin.version = text,
                    _ => {}
                }
            }
            let tag = (self.build.key(key), self.searched(kind, text)?);
            origin.tags.push(tag);
        }
        Ok((origin, service))
    }

    /// The text under which a value is searched for: of nested ones their plain JSON.
    fn searched(&mut self, kind: ValueType, text: u32) -> Result<u32, Odd> {
        if kind != ValueType::Nested {
            return Ok(text);
        }
        let value = super::details::read_value(self.build.chunk.texts.get(text)).map_err(|_| Odd)?;
        Ok(self.build.chunk.texts.code(&value.text()))
    }

    fn entity(&mut self, bytes: &[u8], out: &mut String) -> Result<(), Odd> {
        let (mut schema_url, mut kind, mut ids, mut descriptions) = ("", "", Vec::new(), Vec::new());
        let mut entity = Wire(bytes);
        while let Some((number, field)) = entity.next()? {
            match number {
                1 => schema_url = field.text()?,
                2 => kind = field.text()?,
                3 => ids.push(field.text()?),
                4 => descriptions.push(field.text()?),
                _ => {}
            }
        }
        for (field, text) in [("{\"schema_url\":", schema_url), (",\"kind\":", kind)] {
            out.push_str(field);
            write_json_text(self.build.cut(text), out);
        }
        for (field, keys) in [("id_keys", ids), ("description_keys", descriptions)] {
            let _ = write!(out, ",\"{field}\":[");
            for (i, key) in keys.into_iter().enumerate() {
                separate(i, out);
                write_json_text(self.build.cut(key), out);
            }
            out.push(']');
        }
        out.push('}');
        Ok(())
    }

    /// A scope as text.
    pub(super) fn scope(&mut self, bytes: &[u8], schema_url: &str) -> Result<u32, Odd> {
        let (mut name, mut version, mut dropped, mut attributes) = ("", "", 0, Vec::new());
        let mut scope = Wire(bytes);
        while let Some((number, field)) = scope.next()? {
            match number {
                1 => name = field.text()?,
                2 => version = field.text()?,
                3 => attributes.push(field.bytes()?),
                4 => dropped = field.u32()?,
                _ => {}
            }
        }
        let all_empty = name.is_empty() && version.is_empty() && schema_url.is_empty();
        if all_empty && attributes.is_empty() && dropped == 0 {
            return Ok(0);
        }
        let mut out = String::from("{");
        for (field, text) in [("name", name), ("version", version)] {
            if !text.is_empty() {
                let _ = write!(out, "\"{field}\":");
                write_json_text(self.build.cut(text), &mut out);
                out.push(',');
            }
        }
        out.push_str("\"attributes\":");
        self.attributes(&attributes, &mut out)?;
        let _ = write!(out, ",\"dropped\":{dropped},\"schema_url\":");
        write_json_text(self.build.cut(schema_url), &mut out);
        out.push('}');
        Ok(self.build.chunk.texts.code(&out))
    }

    /// Writes attributes of one level, of a repeated key the last value at the first place; gives them back.
    fn attributes<'b>(&mut self, pairs: &[&'b [u8]], out: &mut String) -> Result<Vec<Pair<'b>>, Odd> {
        let mut read: Vec<Pair<'_>> = Vec::with_capacity(pairs.len().min(FEW));
        for bytes in pairs {
            let (key, value) = key_value(bytes)?;
            let key = self.build.cut(key);
            self.build.key(key);
            match read.iter().position(|(known, _)| *known == key) {
                Some(place) => {
                    // The value that does not count is checked all the same.
                    let slot = std::mem::replace(&mut read[place].1, value);
                    self.write_value(any_value(slot)?, &mut String::new(), 0)?;
                }
                None if read.len() >= self.build.limits.attributes_max.min(FEW * 8) => return Err(Odd),
                None => read.push((key, value)),
            }
        }
        out.push('[');
        for (i, (key, value)) in read.iter().enumerate() {
            separate(i, out);
            out.push('[');
            write_json_text(key, out);
            out.push(',');
            self.write_value(any_value(*value)?, out, 0)?;
            out.push(']');
        }
        out.push(']');
        Ok(read)
    }

    /// Writes one typed value.
    pub(super) fn write_value(
        &mut self,
        value: Option<(u32, Field<'_>)>,
        out: &mut String,
        depth: u32,
    ) -> Result<(), Odd> {
        if depth > DEPTH_MAX {
            return Err(Odd);
        }
        let Some((number, field)) = value else {
            write_empty(out);
            return Ok(());
        };
        match number {
            1 => write_tagged_text("string", self.build.cut(field.text()?), out),
            2 => write_bool(field.varint()? != 0, out),
            3 => write_int(field.varint()? as i64, out),
            4 => write_double(f64::from_bits(field.fixed64()?), out),
            7 => write_bytes(self.cut_bytes(field.bytes()?), out),
            5 => {
                out.push_str("{\"array\":[");
                let mut list = Wire(field.bytes()?);
                let mut first = true;
                while let Some((number, item)) = list.next()? {
                    if number == 1 {
                        separate(usize::from(!std::mem::take(&mut first)), out);
                        self.write_value(any_value(Some(item.bytes()?))?, out, depth + 1)?;
                    }
                }
                out.push_str("]}");
            }
            6 => {
                out.push_str("{\"map\":[");
                let mut list = Wire(field.bytes()?);
                let mut first = true;
                while let Some((number, item)) = list.next()? {
                    if number == 1 {
                        separate(usize::from(!std::mem::take(&mut first)), out);
                        let (key, value) = key_value(item.bytes()?)?;
                        let key = self.build.cut(key);
                        self.build.key(key);
                        out.push('[');
                        write_json_text(key, out);
                        out.push(',');
                        self.write_value(any_value(value)?, out, depth + 1)?;
                        out.push(']');
                    }
                }
                out.push_str("]}");
            }
            // An index into a string table that only profiles have.
            _ => {
                field.varint()?;
                write_empty(out);
            }
        }
        Ok(())
    }
}
