//! Recorded traffic of real Pact clients, replayed in order: status, media type and shape of every answer are those of the
//! original broker (2.120.0), but for the differences that are wanted.
//!
//! `tests/fixtures/traffic/` holds one flow per file: `before` is what had to be there, `request` what the client sent,
//! `answer` what the original said, its sentences left out. Ids that a broker makes up (uuids, content ids, metadata
//! segments, numbers of results) are learnt from each pair of answers and put into the requests that follow, so a link
//! that leads somewhere else shows.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use serde_json::{Value, json};

use super::support::{ADMIN, Answer, Bench};
use super::traffic_wanted::{WANTED, WANTED_STATUS};

struct Replay {
    bench: Bench,
    /// Ids of theirs → ours.
    ids: BTreeMap<String, String>,
    differences: Vec<String>,
}

impl Replay {
    async fn run(flow: &str, text: &str) -> Vec<String> {
        let recorded: Value = serde_json::from_str(text).unwrap();
        // The recorded webhooks go to a closed port of the machine itself.
        let bench = Bench::with(|config| {
            config.webhooks.schemes.push("http".into());
            config.webhooks.hosts.push("127.0.0.1".parse().unwrap());
        })
        .await;
        let mut replay = Self { bench, ids: BTreeMap::new(), differences: Vec::new() };
        for (index, exchange) in recorded["exchanges"].as_array().unwrap().iter().enumerate() {
            for step in exchange["before"].as_array().into_iter().flatten() {
                replay.prepare(step).await;
            }
            replay.exchange(flow, index + 1, exchange).await;
        }
        replay.differences
    }

    async fn exchange(&mut self, flow: &str, number: usize, exchange: &Value) {
        let (request, theirs) = (&exchange["request"], &exchange["answer"]);
        let path = self.with_our_ids(request["path"].as_str().unwrap());
        let ours = self.send(request, &path).await;
        let place = format!("{flow} {number} {} {path}", request["method"].as_str().unwrap());
        let wanted = WANTED_STATUS.iter().find(|w| (w.flow, w.number) == (flow, number));
        let status = wanted.map_or(theirs["status"].as_u64().unwrap(), |w| u64::from(w.ours));
        if u64::from(ours.status.as_u16()) != status {
            self.differences
                .push(format!("{place}: status {} instead of {status}: {}", ours.status, ours.text));
            return;
        }
        if wanted.is_some() {
            return;
        }
        if let Some(media) = theirs["media"].as_str() {
            let is = ours.headers["content-type"].to_str().unwrap().split(';').next().unwrap();
            // For a refusal the original is not consistent about which of the two names of JSON it uses.
            if is != media && status < 400 {
                self.differences.push(format!("{place}: {is} instead of {media}"));
            }
        }
        let vary = ours.headers.get("vary").is_some_and(|v| v == "Accept");
        if !vary || !ours.headers.contains_key("x-pact-broker-version") {
            self.differences.push(format!("{place}: Vary or X-Pact-Broker-Version is missing"));
        }
        if let Some(location) = theirs["location"].as_str() {
            let is = ours.headers.get("location").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
            self.link(&format!("{place}: Location"), location, &is);
        }
        match &theirs["body"] {
            Value::Null => {}
            Value::String(index) if index == "index" => {
                let index: Value =
                    serde_json::from_str(include_str!("../fixtures/traffic/index.json")).unwrap();
                self.compare(&place, "", &index, &ours.json());
            }
            body => self.compare(&place, "", body, &ours.json()),
        }
    }

    async fn send(&self, request: &Value, path: &str) -> Answer {
        // What a client sends raw reaches a server raw; the test's request builder wants brackets encoded.
        let path = path.replace('[', "%5B").replace(']', "%5D");
        let mut builder = Request::builder()
            .method(request["method"].as_str().unwrap())
            .uri(path)
            .header("host", "localhost:9292")
            .header("authorization", format!("Bearer {ADMIN}"));
        for accept in request["accept"].as_array().unwrap() {
            builder = builder.header("accept", accept.as_str().unwrap());
        }
        if let Some(media) = request["content_type"].as_str() {
            builder = builder.header("content-type", media);
        }
        let mut body = request["body"].clone();
        for contract in body["contracts"].as_array_mut().into_iter().flatten() {
            contract["content"] = STANDARD.encode(contract["content"].to_string()).into();
        }
        let text = if body.is_null() { String::new() } else { self.with_our_ids(&body.to_string()) };
        self.bench.send(builder.body(text.into()).unwrap()).await
    }

    fn with_our_ids(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (theirs, ours) in self.ids.iter().filter(|(theirs, _)| theirs.len() > 8) {
            text = text.replace(theirs.as_str(), ours);
        }
        text
    }

    fn differ(&mut self, place: &str, pointer: &str, what: &str) {
        if !WANTED.iter().any(|w| w.matches(pointer, what)) {
            self.differences.push(format!("{place}: {pointer} {what}"));
        }
    }

    fn compare(&mut self, place: &str, pointer: &str, theirs: &Value, ours: &Value) {
        match (theirs, ours) {
            (Value::Object(theirs), Value::Object(ours)) => {
                for (key, value) in theirs {
                    let inner = format!("{pointer}/{key}");
                    match ours.get(key) {
                        None => self.differ(place, &inner, "is missing"),
                        Some(other) if key == "href" => {
                            self.link(
                                &format!("{place}: {inner}"),
                                value.as_str().unwrap(),
                                other.as_str().unwrap_or("?"),
                            );
                        }
                        Some(other) => self.compare(place, &inner, value, other),
                    }
                }
                for key in ours.keys().filter(|key| !theirs.contains_key(*key)) {
                    self.differ(place, &format!("{pointer}/{key}"), "is only ours");
                }
            }
            (Value::Array(theirs), Value::Array(ours)) => self.compare_lists(place, pointer, theirs, ours),
            (Value::String(theirs), Value::String(ours)) => self.compare_texts(place, pointer, theirs, ours),
            (Value::Number(_), Value::Number(_)) if pointer.starts_with("/page/") => {}
            (theirs, ours) if theirs == ours => {}
            (theirs, ours) => self.differ(place, pointer, &format!("is {ours} instead of {theirs}")),
        }
    }

    /// Their database held what other flows had left, and long lists were cut when they were recorded: an element is
    /// compared with ours of the same name, or else with ours at its place.
    fn compare_lists(&mut self, place: &str, pointer: &str, theirs: &[Value], ours: &[Value]) {
        if theirs.is_empty() != ours.is_empty() {
            return self.differ(
                place,
                pointer,
                &format!("has {} entries instead of {}", ours.len(), theirs.len()),
            );
        }
        // Links by their name or their place, resources by their own link.
        let ids = self.ids.clone();
        let keys = |value: &Value| -> Vec<String> {
            let own = &value["_links"]["self"];
            let all = [&value["name"], &own["href"], &own[0]["href"], &value["href"]].into_iter();
            all.filter_map(Value::as_str)
                .filter(|text| *text != "…")
                .map(|text| {
                    let mut text = text.strip_prefix("http://localhost:9292").unwrap_or(text).to_owned();
                    for (theirs, ours) in ids.iter().filter(|(theirs, _)| theirs.len() > 8) {
                        text = text.replace(theirs.as_str(), ours);
                    }
                    text
                })
                .collect()
        };
        for (index, value) in theirs.iter().enumerate() {
            if value.as_str().is_some_and(|text| text.ends_with("more like these>")) {
                continue;
            }
            let other = match keys(value).first() {
                Some(wanted) => {
                    let same = ours.iter().find(|own| keys(own).contains(wanted));
                    // What other flows left there is not here.
                    if same.is_none() && theirs.len() <= ours.len() { ours.get(index) } else { same }
                }
                None => ours.get(index),
            };
            if let Some(other) = other {
                self.compare(place, &format!("{pointer}/*"), value, other);
            }
        }
    }

    fn compare_texts(&mut self, place: &str, pointer: &str, theirs: &str, ours: &str) {
        let key = pointer.rsplit('/').next().unwrap_or_default();
        match key {
            "uuid" | "_id" | "interactionId" => self.learn(&format!("{place}: {pointer}"), theirs, ours),
            "number" | "version" | "providerApplicationVersion" | "providerName" if theirs != ours => {
                self.differ(place, pointer, &format!("is {ours} instead of {theirs}"));
            }
            "type" | "when" if theirs != ours => {
                self.differ(place, pointer, &format!("is {ours} instead of {theirs}"))
            }
            _ => {}
        }
    }

    /// Links lead to the same place, ids aside.
    fn link(&mut self, place: &str, theirs: &str, ours: &str) {
        let ours = ours.strip_prefix("http://localhost:9292").unwrap_or(ours);
        let split = |text: &str| text.split(['/', '?', '&']).map(str::to_owned).collect::<Vec<_>>();
        let (theirs_parts, ours_parts) = (split(theirs), split(ours));
        if theirs_parts.len() != ours_parts.len() {
            return self.differ(
                place,
                place.rsplit(": ").next().unwrap_or_default(),
                &format!("leads to {ours} instead of {theirs}"),
            );
        }
        for (index, (their, our)) in theirs_parts.iter().zip(&ours_parts).enumerate() {
            let before = index.checked_sub(1).map(|at| theirs_parts[at].as_str()).unwrap_or_default();
            let made_up = matches!(
                before,
                "environment"
                    | "environments"
                    | "deployed-versions"
                    | "released-versions"
                    | "pact-version"
                    | "metadata"
                    | "verification-results"
                    | "webhooks"
            );
            if made_up
                && their != our
                && !["latest", "currently-deployed", "currently-supported", "environment"]
                    .contains(&their.as_str())
            {
                self.learn(place, their, our);
            } else if their != our {
                self.differ(
                    place,
                    place.rsplit(": ").next().unwrap_or_default(),
                    &format!("leads to {ours} instead of {theirs}"),
                );
                return;
            }
        }
    }

    fn learn(&mut self, _place: &str, theirs: &str, ours: &str) {
        // Numbers of results count from another start; a metadata segment may say more than theirs.
        self.ids.insert(theirs.to_owned(), ours.to_owned());
    }

    async fn prepare(&mut self, step: &Value) {
        let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
        if let Some(name) = step["environment"].as_str() {
            let uuid = self.bench.environment(name).await;
            if let Some(theirs) = step["uuid"].as_str() {
                self.ids.insert(theirs.to_owned(), uuid);
            }
        } else if let Some(name) = step["pacticipant"].as_str() {
            let body = json!({ "name": name, "mainBranch": step["main_branch"] });
            self.bench.post("/pacticipants", &body).await.is(201);
        } else if let one @ Value::Object(_) = &step["publish"] {
            let mut interaction = json!({
                "description": "a request for a thing",
                "request": { "method": "GET", "path": "/thing" },
                "response": { "status": 200, "headers": { "Content-Type": "application/json" }, "body": { "id": 1 } },
            });
            if let Some(state) = one["state"].as_str() {
                interaction["providerState"] = state.into();
            }
            let document = match &one["content"] {
                Value::Null => json!({
                    "consumer": { "name": one["consumer"] }, "provider": { "name": one["provider"] },
                    "interactions": [interaction],
                    "metadata": { "pactSpecification": { "version": "2.0.0" } },
                }),
                content => content.clone(),
            };
            let body = json!({
                "pacticipantName": one["consumer"], "pacticipantVersionNumber": one["version"],
                "branch": one["branch"], "tags": one["tags"],
                "contracts": [{
                    "consumerName": one["consumer"], "providerName": one["provider"], "specification": "pact",
                    "contentType": "application/json", "content": STANDARD.encode(document.to_string()),
                }],
            });
            self.bench.post("/contracts/publish", &body).await.is(200);
        } else if let one @ Value::Object(_) = &step["on_branch"] {
            self.on_branch(&text(one, "pacticipant"), &text(one, "version"), &text(one, "branch")).await;
        } else if let one @ Value::Object(_) = &step["result"] {
            let (provider, version) = (text(one, "provider"), text(one, "version"));
            if let Some(branch) = one["branch"].as_str() {
                self.on_branch(&provider, &version, branch).await;
            }
            for tag in one["tags"].as_array().into_iter().flatten() {
                let path = format!(
                    "/pacticipants/{}/versions/{version}/tags/{}",
                    encode(&provider),
                    tag.as_str().unwrap()
                );
                assert!(self.bench.put(&path, &json!({})).await.status.is_success());
            }
            let path = format!(
                "/pacts/provider/{}/consumer/{}/latest",
                encode(&provider),
                encode(&text(one, "consumer"))
            );
            let pact = self.bench.get(&path).await.is(200);
            let results = super::support::path_of(&pact["_links"]["pb:publish-verification-results"]["href"])
                .to_owned();
            let body = json!({ "success": one["success"], "providerApplicationVersion": version });
            self.bench.post(&results, &body).await.is(201);
        } else if let one @ Value::Object(_) = &step["deploy"] {
            let (pacticipant, version, environment) =
                (text(one, "pacticipant"), text(one, "version"), text(one, "environment"));
            self.bench.deploy(&encode(&pacticipant), &version, &environment, None).await;
        } else {
            panic!("unknown step {step}");
        }
    }

    async fn on_branch(&self, pacticipant: &str, version: &str, branch: &str) {
        let path =
            format!("/pacticipants/{}/branches/{}/versions/{version}", encode(pacticipant), encode(branch));
        assert!(self.bench.put(&path, &json!({})).await.status.is_success());
    }
}

fn encode(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[tokio::test]
async fn every_recorded_flow_gets_the_answers_of_the_original() {
    let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traffic");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut differences = Vec::new();
    let mut flows = 0;
    for path in paths {
        let flow = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if flow != "index" {
            flows += 1;
            differences.extend(Replay::run(&flow, &std::fs::read_to_string(&path).unwrap()).await);
        }
    }
    assert!(flows >= 33, "only {flows} flows are there");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
