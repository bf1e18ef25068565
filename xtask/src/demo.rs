//! `cargo xtask demo`: builds everything, starts it on free ports, sends steady traffic and plays one story.
//!
//! The driver only switches faults and runs pipelines; every verdict, transition and result it prints was read from
//! a public API.

mod facts;
mod load;
mod pipeline;
mod report;
mod scenes;
mod screen;
mod shop;
mod spans;
mod summary;
mod trees;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use tracepact_tests::binaries::Binaries;

use crate::run::run as run_command;
use crate::workspace::{Metadata, cargo};
use report::{Report, SceneReport};
use scenes::{STORY, Scene};
use world::{Choices, Sabotage, World};

/// Options of `demo`.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Stop after this time (`30s`, `3m`) at the latest. Without it the demo runs until Ctrl-C after its story.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,
    /// The short run for every commit: four scenes, no page build.
    #[arg(long)]
    smoke: bool,
    /// Write the report here.
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Play only this scene, and those it needs.
    #[arg(long, value_name = "NAME")]
    scene: Option<String>,
    /// Changes ids and which messages faults strike.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Orders a second.
    #[arg(long, default_value_t = 10, value_name = "ORDERS")]
    rate: u32,
    /// Use this Kafka instead of the embedded one.
    #[arg(long, value_name = "HOST:PORT")]
    kafka: Option<String>,
    /// Serve the dashboard on this port instead of a free one.
    #[arg(long)]
    port: Option<u16>,
    /// Build and run release binaries.
    #[arg(long)]
    release: bool,
    /// Run this command with `sh -c` after the story, while everything still runs. `TRACEPACT_URL` is the
    /// dashboard's address, `TRACEPACT_FACTS` a JSON file that says what there is to see.
    #[arg(long, value_name = "COMMAND")]
    then: Option<String>,
    /// Leave out a part, to see its scene fail.
    #[arg(long, value_enum)]
    sabotage: Option<Sabotage>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a time such as 30s or 3m");
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match unit {
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        _ => Err(wrong()),
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let scenes = chosen(args)?;
    let binaries = build(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(play(args, scenes, binaries))
}

/// The scenes to play, in the story's order.
fn chosen(args: &Args) -> anyhow::Result<Vec<&'static Scene>> {
    let Some(name) = &args.scene else {
        return Ok(STORY.iter().filter(|s| s.smoke || !args.smoke).collect());
    };
    let scene = STORY.iter().find(|s| s.name == name).with_context(|| {
        format!("there is no scene {name:?}; there are {}", STORY.each_ref().map(|s| s.name).join(", "))
    })?;
    Ok(STORY.iter().filter(|s| s.name == name || scene.needs.contains(&s.name)).collect())
}

fn build(args: &Args) -> anyhow::Result<Binaries> {
    if !args.smoke && args.json.is_none() {
        crate::tools::provide(&Metadata::read()?.target_directory, crate::tools::For::Demo)?;
        crate::dist::build_pages()?;
    }
    let mut build = cargo();
    build.args(["build", "--locked", "-p", "tracepact", "-p", "tracepact-shop"]);
    if args.release {
        build.arg("--release");
    }
    run_command(&mut build)?;
    let target = Metadata::read()?.target_directory;
    Binaries::in_folder(&target.join(if args.release { "release" } else { "debug" }))
}

async fn play(args: &Args, scenes: Vec<&'static Scene>, binaries: Binaries) -> anyhow::Result<()> {
    let target = Metadata::read()?.target_directory;
    let folder = target.join("demo");
    // Held until the end: two demos would take each other's folder away.
    let lock = std::fs::File::create(target.join("demo.lock"))?;
    if lock.try_lock().is_err() {
        bail!("another demo runs in {}: end it first, or use another CARGO_TARGET_DIR", folder.display());
    }
    let choices = Choices {
        seed: args.seed,
        rate_per_s: args.rate.max(1),
        kafka: args.kafka.clone(),
        sabotage: args.sabotage,
        port: args.port,
    };
    let deadline = args.time.map(|t| tokio::time::Instant::now() + t);
    let begun = tokio::time::Instant::now();
    let begun_ms = now_ms();
    let mut world = tokio::select! {
        world = World::start(choices, binaries, &folder) => world?,
        _ = interrupted() => bail!("stopped while starting"),
    };
    println!("ready in {:.1} s: {}", begun.elapsed().as_secs_f64(), world.api.base());
    println!("logs and data: {}", folder.display());
    let mut report = Report::default();
    let ended = tokio::select! {
        ended = story(&mut world, &scenes, deadline, &mut report) => ended,
        _ = interrupted() => Err(anyhow::anyhow!("stopped before the end of the story")),
    };
    let ended = match (ended, &args.then) {
        (Ok(()), Some(command)) => facts::run_then(&mut world, command).await,
        (ended, _) => ended,
    };
    if ended.is_ok() && deadline.is_none() && args.then.is_none() {
        println!("\nThe shop goes on; look around at {}. Ctrl-C ends it.", world.api.base());
        interrupted().await;
    }
    let ended = match ended {
        Ok(()) => summary::fill(&mut world, &mut report, begun_ms).await,
        failed => failed,
    };
    world.processes.stop_all(&["tracepact", "kafka"]).await;
    report.ok = ended.is_ok() && report.scenes.iter().all(|s| s.ok);
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)? + "\n")
            .with_context(|| format!("could not write {}", path.display()))?;
    }
    summary::print(&report);
    ended?;
    let failed: Vec<&str> = report.scenes.iter().filter(|s| !s.ok).map(|s| s.name).collect();
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("scenes that did not show what they must: {}", failed.join(", "))
    }
}

/// Ctrl-C, or SIGTERM from whoever runs this.
async fn interrupted() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

async fn story(
    world: &mut World,
    scenes: &[&'static Scene],
    deadline: Option<tokio::time::Instant>,
    report: &mut Report,
) -> anyhow::Result<()> {
    for (number, scene) in scenes.iter().enumerate() {
        screen::heading(number + 1, scene.title);
        let begun = tokio::time::Instant::now();
        let played = match deadline {
            // A scene that is cut off by the end of the time has not shown what it must.
            Some(deadline) => match tokio::time::timeout_at(deadline, (scene.play)(world)).await {
                Ok(played) => played,
                Err(_) => Err(anyhow::anyhow!("the time given with --for was over")),
            },
            None => (scene.play)(world).await,
        };
        let observed = match played {
            Ok(observed) => {
                screen::shown(&observed, world.api.base());
                SceneReport { name: scene.name, ok: true, observed: observed.text }
            }
            Err(error) => {
                screen::failed(&error);
                SceneReport { name: scene.name, ok: false, observed: format!("{error:#}") }
            }
        };
        println!("   took {:.1} s", begun.elapsed().as_secs_f64());
        report.scenes.push(observed);
        world.processes.all_alive()?;
    }
    Ok(())
}

fn now_ms() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("3m"), Ok(Duration::from_secs(180)));
        assert!(duration("soon").is_err());
    }

    #[test]
    fn needed_scenes_exist() {
        for scene in &STORY {
            assert!(scene.needs.iter().all(|n| STORY.iter().any(|s| s.name == *n)), "{}", scene.name);
        }
    }
}
