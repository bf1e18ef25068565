//! Suites that run the demo: the whole story with everything that looks at it, and the story with a part left out.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::{Context, build_binaries, with_real_kafka};
use crate::run::run as run_command;
use crate::workspace::{cargo, root};

/// Longest time of the whole story.
const STORY_TIME: &str = "240s";
/// Longest time of one scene with a part left out. A sabotaged scene fails by waiting in vain.
const SABOTAGE_TIME: &str = "120s";
/// The part that is left out, and the scene that has to notice.
const SABOTAGED: [(&str, &str); 4] =
    [("consumer", "healthy"), ("breaker", "outage"), ("gate", "gate"), ("loss-audit", "messages")];

fn demo(context: &Context, args: &[&str]) -> Command {
    let mut command = cargo();
    command.args(["xtask", "demo"]).args(args);
    context.with_path(&mut command);
    command
}

/// The story, told to a browser and to a Prometheus.
pub(super) fn tell(context: &Context) -> anyhow::Result<()> {
    // The suite of the pages built them already, unless this suite runs alone.
    if !root().join("dashboard/ui/dist/index.html").is_file()
        || !root().join("dashboard/ui/node_modules").is_dir()
    {
        crate::dist::build_pages()?;
    }
    let folder = build_binaries(context)?;
    run_command(context.with_path(cargo().args(["build", "--locked", "-p", "tracepact-tests", "--bins"])))?;
    run_command(context.with_path(Command::new("promtool").current_dir(root().join("grafana")).args([
        "test",
        "rules",
        "alerts_test.yml",
    ])))?;
    let check_grafana = folder.join("check_grafana");
    // Each looker looks even when the one before it saw something wrong.
    let look = format!(
        "failed=0; (cd dashboard/ui && npm run e2e) || failed=1; \
         '{}' --target \"$TRACEPACT_HTTP_ADDR\" || failed=1; \
         promtool check rules grafana/alerts.yml || failed=1; exit $failed",
        check_grafana.display()
    );
    let report = report_file(context, "story")?;
    let path = report.display().to_string();
    let told = run_command(&mut demo(context, &["--for", STORY_TIME, "--json", &path, "--then", &look]));
    let scenes = scenes(&report)?;
    let failed: Vec<&str> = scenes.iter().filter(|s| !s.1).map(|s| s.0.as_str()).collect();
    println!("story: {} passed, {} failed", scenes.len() - failed.len(), failed.len());
    told
}

/// The story on Apache Kafka.
pub(super) fn on_kafka(context: &Context) -> anyhow::Result<()> {
    build_binaries(context)?;
    let path = report_file(context, "story-kafka")?.display().to_string();
    with_real_kafka(|bootstrap| {
        run_command(&mut demo(context, &["--for", STORY_TIME, "--json", &path, "--kafka", bootstrap]))
    })
}

/// The short run for every commit.
pub(super) fn smoke(context: &Context) -> anyhow::Result<()> {
    run_command(&mut demo(context, &["--for", "30s", "--smoke"]))
}

/// A demo that lacks a part must fail, and on the scene that shows this part.
pub(super) fn sabotage(context: &Context) -> anyhow::Result<()> {
    build_binaries(context)?;
    let mut failed = Vec::new();
    for (part, scene) in SABOTAGED {
        match noticed(context, part, scene) {
            Ok(observed) => println!("sabotage {part}: noticed by {scene}: {observed}"),
            Err(error) => failed.push(format!("{part}: {error:#}")),
        }
    }
    println!("sabotage: {} passed, {} failed", SABOTAGED.len() - failed.len(), failed.len());
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("; ")) }
}

/// What the scene said of the part that is missing.
fn noticed(context: &Context, part: &str, scene: &str) -> anyhow::Result<String> {
    let report = report_file(context, &format!("sabotage-{part}"))?;
    let path = report.display().to_string();
    let args = ["--for", SABOTAGE_TIME, "--scene", scene, "--sabotage", part, "--json", &path];
    ensure!(run_command(&mut demo(context, &args)).is_err(), "the demo ended well without its {part}");
    let scenes = scenes(&report)?;
    for (name, ok, observed) in &scenes {
        ensure!(*ok == (name != scene), "scene {name} ended with ok = {ok}: {observed}");
    }
    let (_, _, observed) = scenes.into_iter().find(|s| s.0 == scene).context("the scene was not played")?;
    Ok(observed)
}

/// Where a run's report goes; one of an earlier run is not taken for it.
fn report_file(context: &Context, name: &str) -> anyhow::Result<PathBuf> {
    let folder = context.target.join("reports");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{name}.json"));
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(file),
    }
}

/// Name, verdict and observation of every scene in a report.
fn scenes(report: &std::path::Path) -> anyhow::Result<Vec<(String, bool, String)>> {
    let text =
        std::fs::read_to_string(report).with_context(|| format!("no report at {}", report.display()))?;
    let report: Value = serde_json::from_str(&text)?;
    let text = |scene: &Value, key| scene.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let scenes = report.get("scenes").and_then(Value::as_array).context("the report has no scenes")?;
    Ok(scenes
        .iter()
        .map(|s| (text(s, "name"), s.get("ok").and_then(Value::as_bool) == Some(true), text(s, "observed")))
        .collect())
}
