//! `--pacticipant A --version 1 --pacticipant B --latest prod`: options that belong to the pacticipant before them.

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};
use tracepact_verify::broker_client::encode;

/// What is asked about, in the order it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selectors {
    pub(super) list: Vec<Selector>,
    /// Pacticipants that must not count, each with a version or without.
    pub(super) ignore: Vec<(String, Option<String>)>,
}

/// One pacticipant and which of its versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) pacticipant: String,
    version: Option<String>,
    latest: bool,
    tag: Option<String>,
    branch: Option<String>,
    main_branch: bool,
}

const IGNORE_ENV: &str = "PACT_BROKER_CAN_I_DEPLOY_IGNORE";

impl Args for Selectors {
    fn augment_args(command: clap::Command) -> clap::Command {
        let text =
            |id: &'static str, help: &'static str| Arg::new(id).long(id).action(ArgAction::Append).help(help);
        let flag = |id: &'static str, help: &'static str| {
            Arg::new(id)
                .long(id)
                .action(ArgAction::Append)
                .num_args(0)
                .default_missing_value("true")
                .help(help)
        };
        command
            .arg(
                text("pacticipant", "A pacticipant; the options below belong to the one before them")
                    .short('a')
                    .required(true)
                    .value_name("NAME"),
            )
            .arg(text("version", "Its version").short('e').value_name("VERSION"))
            .arg(
                text("latest", "Its latest version; with TAG, the latest with this tag")
                    .short('l')
                    .num_args(0..=1)
                    .default_missing_value("")
                    .value_name("TAG"),
            )
            .arg(
                text("tag", "Its versions with this tag; with --latest, the latest of them")
                    .value_name("TAG"),
            )
            .arg(text("branch", "The latest version of this branch").value_name("BRANCH"))
            .arg(flag("main-branch", "The latest version of its main branch"))
            .arg(flag("no-main-branch", "Not the main branch: the default").hide(true))
            .arg(flag("skip-main-branch", "Not the main branch: the default").hide(true))
            .arg(
                text(
                    "ignore",
                    "A pacticipant that must not count; a --version after it ignores only that one",
                )
                .value_name("NAME"),
            )
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Selectors {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given: Vec<(usize, &'static str, String)> = Vec::new();
        for id in ["pacticipant", "version", "latest", "tag", "branch", "main-branch", "ignore"] {
            let values = matches.get_many::<String>(id).into_iter().flatten();
            let places = matches.indices_of(id).into_iter().flatten();
            given.extend(places.zip(values).map(|(place, value)| (place, id, value.clone())));
        }
        given.sort_by_key(|(place, ..)| *place);
        let wrong = |text: String| clap::Error::raw(clap::error::ErrorKind::ValueValidation, text + "\n");
        let mut read = Self::default();
        let mut ignoring = false;
        for (_, id, value) in given {
            match id {
                "pacticipant" => {
                    ignoring = false;
                    read.list.push(Selector { pacticipant: value, ..Selector::default() });
                    continue;
                }
                "ignore" => {
                    ignoring = true;
                    read.ignore.push((value, None));
                    continue;
                }
                _ => {}
            }
            if ignoring && id == "version" {
                if let Some(last) = read.ignore.last_mut() {
                    last.1 = Some(value);
                }
                continue;
            }
            let last = read
                .list
                .last_mut()
                .ok_or_else(|| wrong(format!("--{id} {value} has to come after its --pacticipant")))?;
            match id {
                "version" => last.version = Some(value),
                "latest" => {
                    last.latest = true;
                    if !value.is_empty() {
                        last.tag = Some(value);
                    }
                }
                "tag" => last.tag = Some(value),
                "branch" => last.branch = Some(value),
                _ => last.main_branch = true,
            }
        }
        if let Ok(names) = std::env::var(IGNORE_ENV) {
            let names = names.split(',').map(str::trim).filter(|n| !n.is_empty());
            read.ignore.extend(names.map(|name| (name.to_owned(), None)));
        }
        for one in &read.list {
            if one.version.is_some() && (one.latest || one.tag.is_some() || one.branch.is_some()) {
                return Err(wrong(format!(
                    "--pacticipant {}: give --version, or --latest, --tag or --branch, not both",
                    one.pacticipant
                )));
            }
        }
        Ok(read)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Selectors {
    /// As parameters of `/matrix`, without the target.
    pub(super) fn query(&self) -> String {
        let mut parts = Vec::new();
        let mut put = |key: &str, value: &str| parts.push(format!("{key}={}", encode(value)));
        for one in &self.list {
            put("q[][pacticipant]", &one.pacticipant);
            for (key, value) in
                [("q[][version]", &one.version), ("q[][tag]", &one.tag), ("q[][branch]", &one.branch)]
            {
                if let Some(value) = value {
                    put(key, value);
                }
            }
            if one.latest {
                put("q[][latest]", "true");
            }
            if one.main_branch {
                put("q[][mainBranch]", "true");
            }
        }
        for (name, version) in &self.ignore {
            put("ignore[][pacticipant]", name);
            if let Some(version) = version {
                put("ignore[][version]", version);
            }
        }
        parts.join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Selectors, clap::Error> {
        let command = Selectors::augment_args(clap::Command::new("ask"));
        let matches = command.try_get_matches_from([&["ask"], args].concat())?;
        Selectors::from_arg_matches(&matches)
    }

    #[test]
    fn options_belong_to_the_pacticipant_before_them() {
        let read_one = read(&[
            "-a",
            "A",
            "-e",
            "1",
            "--pacticipant",
            "B",
            "--latest",
            "prod",
            "-a",
            "C",
            "--main-branch",
            "--ignore",
            "D",
            "--version",
            "2",
            "--ignore",
            "E",
            "-a",
            "F",
            "--latest",
        ])
        .unwrap();
        assert_eq!(
            read_one.query(),
            "q[][pacticipant]=A&q[][version]=1&q[][pacticipant]=B&q[][tag]=prod&q[][latest]=true&q[][pacticipant]=C&\
             q[][mainBranch]=true&q[][pacticipant]=F&q[][latest]=true&ignore[][pacticipant]=D&ignore[][version]=2&\
             ignore[][pacticipant]=E"
        );
        assert!(
            read(&["--version", "1", "-a", "A"]).unwrap_err().to_string().contains("after its --pacticipant")
        );
        assert!(read(&["-a", "A", "-e", "1", "--branch", "main"]).is_err());
        assert!(read(&[]).is_err());
    }
}
