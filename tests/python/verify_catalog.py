"""Verifies `catalog` with the unmodified pact-python: verify_catalog.py BROKER PROVIDER_URL VERSION [OPTION...].

Options: `branch=NAME`, `select=BRANCH` (a consumer branch besides main), `pending`, `wip`, `publish`, `report=FILE` (what the
library found, as its own JSON). Exit code 1 when the build would fail.
"""

import json
import sys

from pact import Verifier

broker, provider_url, version, *options = sys.argv[1:]
chosen = dict(option.partition("=")[::2] for option in options)
branch = chosen.get("branch", "main")

verifier = Verifier("catalog", host="127.0.0.1").add_transport(url=provider_url)
selectors = verifier.broker_source(broker, selector=True).provider_branch(branch)
selectors = selectors.consumer_version(main_branch=True)
if "select" in chosen:
    selectors = selectors.consumer_version(branch=chosen["select"])
selectors = selectors.include_pending() if "pending" in chosen else selectors.exclude_pending()
if "wip" in chosen:
    selectors = selectors.include_wip_since("2020-01-01")
verifier = selectors.build().set_error_on_empty_pact(enabled=False)
if "publish" in chosen:
    verifier.set_publish_options(version=version, branch=branch)
failed = None
try:
    verifier.verify()
except RuntimeError as error:
    failed = error
if "report" in chosen:
    with open(chosen["report"], "w", encoding="utf-8") as file:
        json.dump(verifier.results, file)
print(verifier.output(strip_ansi=True))
if failed:
    sys.exit(f"the build fails: {failed}")
