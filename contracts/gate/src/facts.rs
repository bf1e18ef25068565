//! What is asked, and what is known: the inputs of the judgement.

use std::collections::{BTreeMap, BTreeSet};

/// A deploy question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What would be deployed; several to ask about versions against each other.
    pub subjects: Vec<Subject>,
    /// Where to.
    pub target: Target,
    /// What must not count.
    pub ignore: Vec<Ignore>,
    /// The environment does not allow ignoring: `ignore` has no effect and a warning says so.
    pub ignore_forbidden: bool,
    /// Waivers of the environment that have neither expired nor been revoked.
    pub waivers: Vec<Waiver>,
}

impl Question {
    /// About `subjects`, with nothing ignored or waived.
    pub fn new(subjects: Vec<Subject>, target: Target) -> Self {
        Self { subjects, target, ignore: Vec::new(), ignore_forbidden: false, waivers: Vec::new() }
    }
}

/// One pacticipant that is asked about, its selector already resolved to versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The pacticipant's name.
    pub pacticipant: String,
    /// The versions the selector means; empty when there are none.
    pub versions: Vec<String>,
    /// What was asked for, with `{}` in the place of the version number, for example `version {} of orders`.
    pub wording: String,
    /// Whether an exact version number was given, so that no later publication can change the answer's subject.
    pub exact: bool,
    /// The version number asked for that does not exist, if so.
    pub missing: Option<String>,
    /// Every version is meant: then a pact meets the versions that have results for it, and not each of them.
    pub any: bool,
}

impl Subject {
    /// An existing version, given by its number.
    pub fn version(pacticipant: &str, number: &str) -> Self {
        Self {
            pacticipant: pacticipant.to_owned(),
            versions: vec![number.to_owned()],
            wording: format!("version {{}} of {pacticipant}"),
            exact: true,
            missing: None,
            any: false,
        }
    }
}

/// Where the subjects would be deployed: what their counterparts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Nowhere: several subjects are compared with each other, a single one with whatever has results.
    None,
    /// What is deployed to, or released and supported in, an environment.
    Environment(String),
    /// The latest version of every counterpart.
    Latest,
    /// The latest version with a tag.
    LatestTagged(String),
    /// The latest version of each counterpart's main branch.
    MainBranch,
}

/// Versions taken out of the decision; they are still listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// The pacticipant.
    pub pacticipant: String,
    /// One version, or all.
    pub version: Option<String>,
    /// Whether such a pacticipant (and version) exists; a warning says when not.
    pub exists: bool,
}

/// A promise to live with a breakage for a while. Unlike an ignored version it has a name, a reason and an end, and it
/// takes out only rows that do not hold: once they hold they count again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Why it was given.
    pub reason: String,
    /// Who gave it.
    pub by: String,
    /// The second person, where there is one.
    pub approved_by: Option<String>,
    /// Whether it counts: false while it waits for the second person that the environment demands.
    pub effective: bool,
    /// Whose contracts; absent: everyone's.
    pub consumer: Option<String>,
    /// Of one version; absent: of every.
    pub consumer_version: Option<String>,
    /// With which provider; absent: with every.
    pub provider: Option<String>,
    /// With one version of it; absent: with every.
    pub provider_version: Option<String>,
    /// When it ends, in nanoseconds since 1970.
    pub expires_at_ns: u64,
}

/// Everything relevant that is stored. Order never matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Pacts of the subjects' versions and of their consumers' counterpart versions.
    pub pacts: Vec<PactFact>,
    /// Verification results of those contents.
    pub results: Vec<ResultFact>,
    /// Contracts that providers among the subjects accepted.
    pub accepted: Vec<AcceptedFact>,
    /// For every other pacticipant: its versions in the target.
    pub counterparts: BTreeMap<String, Counterpart>,
    /// What is known of the verification of provider versions that miss a result, by provider and version.
    pub jobs: BTreeMap<(String, String), JobFact>,
    /// Nothing at all is recorded in the environment that is asked about.
    pub environment_empty: bool,
}

/// The verification of one provider version: what tells whether a missing result is on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFact {
    /// When its latest result, of any contract, arrived; in nanoseconds since 1970.
    pub last_result_at_ns: Option<u64>,
    /// Contents whose verification by this version was asked for by webhook and has not come yet.
    pub requested: BTreeSet<String>,
}

/// The versions of one pacticipant that are in the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counterpart {
    /// Version numbers.
    pub versions: Vec<String>,
    /// The main branch's name, for [`Target::MainBranch`].
    pub branch: Option<String>,
}

impl Counterpart {
    /// These versions.
    pub fn versions<'a>(numbers: impl IntoIterator<Item = &'a str>) -> Self {
        Self { versions: numbers.into_iter().map(str::to_owned).collect(), branch: None }
    }
}

/// A consumer version has a pact with a provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PactFact {
    /// The consumer.
    pub consumer: String,
    /// Its version.
    pub consumer_version: String,
    /// The provider.
    pub provider: String,
    /// The content of the pact.
    pub content_id: String,
    /// When this content was first stored, in nanoseconds since 1970; 0 when it is not known.
    pub content_since_ns: u64,
}

impl PactFact {
    /// The fact.
    pub fn new(consumer: &str, consumer_version: &str, provider: &str, content_id: &str) -> Self {
        Self {
            consumer: consumer.to_owned(),
            consumer_version: consumer_version.to_owned(),
            provider: provider.to_owned(),
            content_id: content_id.to_owned(),
            content_since_ns: 0,
        }
    }
}

/// A provider version was verified against a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultFact {
    /// The result's number; of two results of the same version for the same content the higher one counts.
    pub number: i64,
    /// The consumer.
    pub consumer: String,
    /// The provider.
    pub provider: String,
    /// The version that was verified.
    pub provider_version: String,
    /// The content it was verified against.
    pub content_id: String,
    /// Whether everything held.
    pub success: bool,
    /// What did not hold.
    pub mismatches: Vec<Mismatch>,
    /// Who posted it, when known.
    pub posted_by: Option<String>,
}

/// One thing that did not hold in a verification.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mismatch {
    /// The interaction's description.
    pub interaction: String,
    /// `GET /item/1` for an HTTP interaction, when known.
    pub operation: Option<String>,
    /// What differed.
    pub description: String,
}

/// A provider accepted a contract that was proposed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedFact {
    /// The proposal.
    pub proposal: String,
    /// The consumer that proposed.
    pub consumer: String,
    /// The consumer's branch.
    pub consumer_branch: String,
    /// The provider that accepted.
    pub provider: String,
    /// The content that was accepted.
    pub content_id: String,
    /// Who accepted, when known.
    pub accepted_by: Option<String>,
    /// When this content was first stored, in nanoseconds since 1970; 0 when it is not known.
    pub content_since_ns: u64,
}
