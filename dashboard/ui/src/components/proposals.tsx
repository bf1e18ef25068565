import type { Proposal, ProposalDetail } from "../api/types";
import { useQuery } from "../api/use_query";
import { Link } from "../router/router";
import { Answer, Empty } from "./answer";
import { AnswerForm } from "./proposal_answer";
import { Scroll } from "./scroll";
import { proposalLook, State } from "./state";
import { Ago } from "./time";

/** The pull requests between services. */
export function Proposals({ proposals }: { proposals: Proposal[] }) {
  return (
    <>
      {proposals.length === 0 ? (
        <Empty>
          Nothing is proposed. A consumer proposes with <code>tracepact contract propose</code>; the provider
          answers with <code>tracepact contract accept</code>.
        </Empty>
      ) : (
        <Scroll label="Proposals">
          <table>
            <thead>
              <tr>
                <th scope="col">Proposal</th>
                <th scope="col">Consumer → provider</th>
                <th scope="col">Branch</th>
                <th scope="col">State</th>
                <th scope="col">Made</th>
                <th scope="col">Changed</th>
              </tr>
            </thead>
            <tbody>
              {proposals.map((p) => (
                <tr key={p.id}>
                  <th scope="row">
                    <Link to={`/contracts/proposals/${encodeURIComponent(p.id)}`}>
                      {p.title || "untitled"}
                    </Link>
                  </th>
                  <td>
                    {p.consumer} → {p.provider}
                  </td>
                  <td>{p.consumer_branch}</td>
                  <td>
                    <State look={proposalLook(p.state)} />
                  </td>
                  <td>
                    <Ago at={p.created_at} />
                    {p.author ? <span class="soft"> by {p.author}</span> : null}
                  </td>
                  <td>
                    <Ago at={p.updated_at} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

/** One proposal whole: what it asks, what differs, who did what when. */
export function ProposalView({ id }: { id: string }) {
  const proposal = useQuery<ProposalDetail>(`/tracepact/v1/proposals/${encodeURIComponent(id)}`, {
    live: true,
  });
  return (
    <Answer
      query={proposal}
      what="proposal"
      missing={`There is no proposal ${id}. All proposals stand below.`}
    >
      {(p) => (
        <section class="notice plain" aria-label={`Proposal ${p.title}`}>
          <div>
            <h3>
              {p.title || "untitled"}: {p.consumer} → {p.provider} <State look={proposalLook(p.state)} />
            </h3>
            <p class="soft">
              <span class="mono">{p.id}</span>
              {p.team ? `, for team ${p.team}` : ""}{" "}
              {p.pull_request_url ? (
                <a href={p.pull_request_url} rel="noreferrer noopener">
                  pull request
                </a>
              ) : null}
            </p>
            <h3>What it changes</h3>
            <p>
              {p.breaking ? (
                <strong>It asks for more than before.</strong>
              ) : (
                "It asks for nothing more than before."
              )}
            </p>
            <p class="lines mono">{p.changes}</p>
            {p.affected.length > 0 ? <p>Live, and not shown to keep it: {p.affected.join(", ")}.</p> : null}
            <h3>What the consumer needs</h3>
            <ul>
              {p.interactions.map((interaction) => (
                <li key={interaction}>{interaction}</li>
              ))}
            </ul>
            {p.difference ? (
              <>
                <h3>Different from what was accepted before</h3>
                <p class="lines mono">{p.difference}</p>
              </>
            ) : null}
            <AnswerForm proposal={p} answered={proposal.refresh} />
            <h3>History</h3>
            <ol>
              {p.history.map((step) => (
                <li key={step.at + step.state}>
                  <Ago at={step.at} /> <State look={proposalLook(step.state)} />
                  {step.who ? ` by ${step.who}` : ""}
                  {step.reason ? <span class="soft">, because {step.reason}</span> : null}
                </li>
              ))}
            </ol>
            {p.comments.length > 0 ? (
              <>
                <h3>Discussion</h3>
                <ol>
                  {p.comments.map((comment) => (
                    <li key={comment.at + comment.text}>
                      <Ago at={comment.at} /> {comment.author ?? "somebody"}:{" "}
                      <span class="lines">{comment.text}</span>
                    </li>
                  ))}
                </ol>
              </>
            ) : null}
            {p.line.length > 0 ? (
              <>
                <h3>Other contents on this branch</h3>
                <ul>
                  {p.line.map((entry) => (
                    <li key={entry.id}>
                      <Link to={`/contracts/proposals/${encodeURIComponent(entry.id)}`}>
                        <span class="mono">{entry.content_id.slice(0, 12)}</span>
                      </Link>{" "}
                      <State look={proposalLook(entry.state)} /> <Ago at={entry.updated_at} />
                    </li>
                  ))}
                </ul>
              </>
            ) : null}
          </div>
        </section>
      )}
    </Answer>
  );
}
