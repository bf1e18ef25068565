//! Where our answers differ from the original's on purpose, each with its reason.

/// A difference in the shape of an answer.
pub(super) struct Wanted {
    /// The end of the pointer to the member; `*` is any one segment.
    pub(super) member: &'static str,
    /// What the difference is: part of `is missing`, `is only ours`, `is X instead of Y`, `leads to …`.
    pub(super) what: &'static str,
    #[expect(dead_code, reason = "for who reads the table")]
    pub(super) reason: &'static str,
}

impl Wanted {
    pub(super) fn matches(&self, pointer: &str, what: &str) -> bool {
        let (mut theirs, mut ours) = (pointer.rsplit('/'), self.member.rsplit('/'));
        what.contains(self.what)
            && ours.all(|part| theirs.next().is_some_and(|other| part == "*" || part == other))
    }
}

/// A whole answer that is another one.
pub(super) struct WantedStatus {
    pub(super) flow: &'static str,
    /// Which exchange, from 1.
    pub(super) number: usize,
    pub(super) ours: u16,
    #[expect(dead_code, reason = "for who reads the table")]
    pub(super) reason: &'static str,
}

pub(super) const WANTED_STATUS: &[WantedStatus] = &[WantedStatus {
    flow: "cli_publish_merge",
    number: 4,
    ours: 200,
    reason: "the documentation of `onConflict: merge` promises a merge, the original refuses it; no interaction is lost",
}];

const fn wanted(member: &'static str, what: &'static str, reason: &'static str) -> Wanted {
    Wanted { member, what, reason }
}

const RESULT_LINK: &str =
    "results belong to content: our link needs no segment that says with which version it was fetched";

pub(super) const WANTED: &[Wanted] = &[
    wanted(
        "updatedAt",
        "",
        "present only when it differs from createdAt, which depended on how fast the recording ran",
    ),
    wanted("notices/*/type", "", "the notices are our own words, as many as we have to say"),
    wanted(
        "notices/*/when",
        "",
        "the notices are our own words; all of the original's moments are among them",
    ),
    wanted(
        "pb:tagged-pact-versions/templated",
        "is true",
        "it has braces; the original says that it has none",
    ),
    wanted("Location", "instead of /pacticpants/", "the original leads to an address that it does not have"),
    wanted(
        "pb:consumer-webhooks/href",
        "leads to",
        "the original puts the provider's name in the consumer's place",
    ),
    wanted("explain", "is only ours", "who clears a no or an unknown, and how"),
    wanted("page", "is only ours", "every list says how long it is"),
    wanted("verificationResult/_links/self/href", "leads to", RESULT_LINK),
    wanted("pb:pact-version/href", "leads to", RESULT_LINK),
    wanted("pb:publish-verification-results/href", "leads to", RESULT_LINK),
    wanted(
        "provider/version",
        "instead of null",
        "a row without a result says which provider version has none",
    ),
    wanted("pb:deployed-environments", "entries instead of", "where the version is, not where it once was"),
    wanted("verifiedBy/*", "", "kept as the client sent it; the original renames clientLanguage"),
    wanted("request/headers/tracepact-delivery", "is only ours", "a receiver tells deliveries apart by it"),
    wanted(
        "request/headers/tracepact-event",
        "is only ours",
        "a receiver need not be told the event in its body",
    ),
    wanted("request/method", "is only ours", "a tried webhook shows the whole request"),
    wanted("request/body", "is only ours", "a tried webhook shows the whole request"),
];
