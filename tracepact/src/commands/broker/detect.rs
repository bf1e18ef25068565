//! Commit, branch and build address of the present build, from what build servers put into the environment, else from git.

use std::process::Command;

/// What is known of the present build.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Build {
    pub(super) commit: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) url: Option<String>,
}

/// One build server: the variable that tells it apart, then those of commit, branch (the first that is set) and address.
const SERVERS: [(&str, &str, &[&str], &str); 10] = [
    ("BUILDKITE", "BUILDKITE_COMMIT", &["BUILDKITE_BRANCH"], "BUILDKITE_BUILD_URL"),
    ("CIRCLECI", "CIRCLE_SHA1", &["CIRCLE_BRANCH"], "CIRCLE_BUILD_URL"),
    ("TRAVIS", "TRAVIS_COMMIT", &["TRAVIS_PULL_REQUEST_BRANCH", "TRAVIS_BRANCH"], "TRAVIS_BUILD_WEB_URL"),
    ("GITHUB_ACTIONS", "GITHUB_SHA", &["GITHUB_HEAD_REF", "GITHUB_REF_NAME"], ""),
    ("JENKINS_URL", "GIT_COMMIT", &["BRANCH_NAME", "GIT_LOCAL_BRANCH", "GIT_BRANCH"], "BUILD_URL"),
    (
        "APPVEYOR",
        "APPVEYOR_REPO_COMMIT",
        &["APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH", "APPVEYOR_REPO_BRANCH"],
        "",
    ),
    (
        "GITLAB_CI",
        "CI_COMMIT_SHA",
        &["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"],
        "CI_PIPELINE_URL",
    ),
    ("BITBUCKET_BUILD_NUMBER", "BITBUCKET_COMMIT", &["BITBUCKET_BRANCH"], ""),
    ("TF_BUILD", "BUILD_SOURCEVERSION", &["SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH"], ""),
    ("CI_NAME", "CI_COMMIT_ID", &["CI_BRANCH"], "CI_BUILD_URL"),
];

/// What the environment, and git where it says nothing, tell of the present build.
pub(super) fn build() -> Build {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let mut build = from(of);
    if build.commit.is_none() {
        build.commit = git(&["rev-parse", "HEAD"]);
    }
    if build.branch.is_none() {
        build.branch = git(&["rev-parse", "--abbrev-ref", "HEAD"]).filter(|branch| branch != "HEAD");
    }
    build
}

fn from(of: impl Fn(&str) -> Option<String>) -> Build {
    let Some((server, commit, branches, url)) = SERVERS.iter().find(|(name, ..)| of(name).is_some()) else {
        return Build::default();
    };
    let branch = branches.iter().find_map(|name| of(name)).map(|branch| {
        let short = branch.strip_prefix("refs/heads/").or_else(|| branch.strip_prefix("origin/"));
        short.unwrap_or(&branch).to_owned()
    });
    let url = match *server {
        "GITHUB_ACTIONS" => match (of("GITHUB_SERVER_URL"), of("GITHUB_REPOSITORY"), of("GITHUB_RUN_ID")) {
            (Some(server), Some(repository), Some(run)) => {
                Some(format!("{server}/{repository}/actions/runs/{run}"))
            }
            _ => None,
        },
        _ => of(url),
    };
    Build { commit: of(commit), branch, url }
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|o| o.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_these(set: &'static [(&'static str, &'static str)]) -> Build {
        from(move |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn build_servers_are_told_apart() {
        let github = of_these(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SHA", "abc"),
            ("GITHUB_REF_NAME", "main"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "a/b"),
            ("GITHUB_RUN_ID", "7"),
        ]);
        assert_eq!(github.url.as_deref(), Some("https://github.com/a/b/actions/runs/7"));
        assert_eq!((github.commit.as_deref(), github.branch.as_deref()), (Some("abc"), Some("main")));
        let azure = of_these(&[
            ("TF_BUILD", "True"),
            ("BUILD_SOURCEVERSION", "d"),
            ("BUILD_SOURCEBRANCH", "refs/heads/x/y"),
        ]);
        assert_eq!((azure.commit.as_deref(), azure.branch.as_deref()), (Some("d"), Some("x/y")));
        let jenkins =
            of_these(&[("JENKINS_URL", "http://j"), ("GIT_COMMIT", "e"), ("GIT_BRANCH", "origin/main")]);
        assert_eq!(jenkins.branch.as_deref(), Some("main"));
        assert_eq!(of_these(&[]), Build::default());
    }
}
