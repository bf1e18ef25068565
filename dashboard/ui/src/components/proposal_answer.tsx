// The provider's answer to a proposal: accept or reject, with a token, where the provider accepts in the broker.

import { useState } from "preact/hooks";
import { type ApiError, postJson } from "../api/client";
import type { ProposalDetail } from "../api/types";

/** Whether a proposal can still be answered. */
export const isOpen = (state: string) => state === "proposed" || state === "rejected";

export function AnswerForm({ proposal, answered }: { proposal: ProposalDetail; answered: () => void }) {
  const [token, setToken] = useState("");
  const [who, setWho] = useState("");
  const [reason, setReason] = useState("");
  const [running, setRunning] = useState(false);
  const [refused, setRefused] = useState<string | undefined>();
  if (!isOpen(proposal.state)) return null;
  if (proposal.mode === "repository") {
    return (
      <p>
        {proposal.provider} accepts in its repository: merging{" "}
        {proposal.pull_request_url ? (
          <a href={proposal.pull_request_url} rel="noreferrer noopener">
            the pull request
          </a>
        ) : (
          "the contract file"
        )}{" "}
        accepts it.
      </p>
    );
  }
  const answer = async (what: "accept" | "reject") => {
    setRunning(true);
    setRefused(undefined);
    try {
      const path = `/tracepact/v1/proposals/${encodeURIComponent(proposal.id)}/${what}`;
      await postJson(path, { who: who.trim() || null, reason: reason.trim() || null }, token.trim());
      setToken("");
      answered();
    } catch (error) {
      setRefused((error as ApiError).message);
    } finally {
      setRunning(false);
    }
  };
  const missing = token.trim() === "";
  return (
    <form class="form" aria-label="Answer" onSubmit={(event) => event.preventDefault()}>
      <label>
        Your name <input value={who} autocomplete="name" onInput={(e) => setWho(e.currentTarget.value)} />
      </label>
      <label>
        Reason <input value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
      </label>
      <label>
        Token{" "}
        <input
          type="password"
          value={token}
          autocomplete="off"
          onInput={(e) => setToken(e.currentTarget.value)}
        />
      </label>
      <button type="button" disabled={running || missing} onClick={() => void answer("accept")}>
        Accept for {proposal.provider}
      </button>
      <button
        type="button"
        disabled={running || missing || reason.trim() === "" || proposal.state === "rejected"}
        onClick={() => void answer("reject")}
      >
        Reject
      </button>
      <p class="soft">The token is sent with this answer only; a rejection needs a reason.</p>
      {refused ? <p role="alert">Not answered: {refused}</p> : null}
    </form>
  );
}
