//! What grants cover, and which right each route needs.

use proptest::prelude::*;

use super::*;

fn rights(grants: &[&str]) -> Rights {
    Rights { grants: grants.iter().map(|g| Grant::parse(g).unwrap()).collect(), pact_writer: false }
}

#[test]
fn names_and_patterns_cover_what_they_say() {
    let some = rights(&["publish:orders", "publish:shop-*", "deploy:*", "team:checkout"]);
    assert!(some.may_publish("orders") && some.may_publish("shop-x") && !some.may_publish("orders2"));
    assert!(some.may_deploy("production") && !some.may_verify("orders") && !some.admin());
    assert!(some.in_team("checkout") && !some.in_team("other") && some.writes());
    let admin = rights(&["admin"]);
    assert!(
        admin.may_publish("x")
            && admin.may_verify("x")
            && admin.may_deploy("x")
            && !admin.in_team("checkout")
    );
    assert!(!rights(&[]).writes());
}

#[test]
fn what_is_no_grant_is_refused_with_what_there_is() {
    for text in ["", "root", "publish", "publish:", "publish:a*b", "publish:**", "admin:x", "verify:a\nb"] {
        assert!(Grant::parse(text).is_err(), "{text}");
    }
    for text in ["admin", "publish:a/b c", "team:checkout", "deploy:*"] {
        assert_eq!(Grant::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn each_route_needs_the_right_of_what_it_names() {
    for (method, template, path, wanted) in [
        ("POST", "/contracts/publish", "/contracts/publish", Need::Writer),
        (
            "PUT",
            "/pacts/provider/{provider}/consumer/{consumer}/version/{version}",
            "/pacts/provider/P/consumer/C%2Fx/version/1",
            Need::Publish("C/x".into()),
        ),
        (
            "POST",
            "/pacts/provider/{provider}/consumer/{consumer}/pact-version/{content}/metadata/{metadata}/verification-results",
            "/pacts/provider/P/consumer/C/pact-version/a/metadata/b/verification-results",
            Need::Verify("P".into()),
        ),
        (
            "PUT",
            "/pacticipants/{name}/branches/{branch}/versions/{version}",
            "/pacticipants/A/branches/feat%2Fx/versions/1",
            Need::Own("A".into()),
        ),
        (
            "POST",
            "/pacticipants/{name}/versions/{version}/deployed-versions/environment/{uuid}",
            "/pacticipants/A/versions/1/deployed-versions/environment/E",
            Need::Deploy("E".into()),
        ),
        (
            "PATCH",
            "/released-versions/{uuid}",
            "/released-versions/R",
            Need::DeployPresence("R".into(), true),
        ),
        (
            "POST",
            "/tracepact/v1/proposals/{id}/accept",
            "/tracepact/v1/proposals/7/accept",
            Need::Team("7".into()),
        ),
        (
            "POST",
            "/tracepact/v1/proposals/{id}/comments",
            "/tracepact/v1/proposals/7/comments",
            Need::Party("7".into()),
        ),
        (
            "POST",
            "/tracepact/v1/providers/{provider}/sync",
            "/tracepact/v1/providers/P/sync",
            Need::Sync("P".into()),
        ),
        (
            "PUT",
            "/tracepact/v1/providers/{provider}/acceptance",
            "/tracepact/v1/providers/P/acceptance",
            Need::TeamOf("P".into()),
        ),
        ("DELETE", "/pacticipants/{name}", "/pacticipants/A", Need::PactAdmin),
        ("DELETE", "/pacticipants/{name}/versions/{version}", "/pacticipants/A/versions/1", Need::PactAdmin),
        ("DELETE", "/pacticipants/{name}/branches", "/pacticipants/A/branches", Need::Own("A".into())),
        ("PUT", "/webhooks/{uuid}", "/webhooks/x", Need::PactAdmin),
        ("POST", "/tracepact/v1/something-new", "/tracepact/v1/something-new", Need::Admin),
    ] {
        assert_eq!(
            need(&Method::from_bytes(method.as_bytes()).unwrap(), template, path, false),
            wanted,
            "{template}"
        );
    }
    assert_eq!(need(&Method::GET, "/pacticipants", "/pacticipants", true), Need::Known);
}

proptest! {
    #[test]
    fn a_grant_survives_its_columns(role in "publish|verify|deploy|team", object in "[a-z/ ]{1,8}\\*?") {
        prop_assume!(!object.trim().is_empty());
        let grant = Grant::new(&role, &object).unwrap();
        let (role, object) = grant.columns();
        prop_assert_eq!(Grant::new(role, object).unwrap(), grant.clone());
        prop_assert_eq!(Grant::parse(&grant.to_string()).unwrap(), grant);
    }
}
