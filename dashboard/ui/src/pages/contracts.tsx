// Can I deploy X to Y, and why not? Then who runs where, which contracts hold, what is proposed, what was refused.

import type { ContractsAnswer, Decision, DecisionsAnswer, ProposalsAnswer } from "../api/types";
import { useQuery } from "../api/use_query";
import { Answer, AsOf, Empty } from "../components/answer";
import { CanIDeploy } from "../components/can_i_deploy";
import { Filters, passes } from "../components/filters";
import { GoTo, traceLink } from "../components/links";
import { Proposals, ProposalView } from "../components/proposals";
import { Scroll } from "../components/scroll";
import { answerLook, State, verificationLook } from "../components/state";
import { Ago } from "../components/time";
import { Link, match, type Place } from "../router/router";

const POLL_MS = 10_000;

export function ContractsPage({ place }: { place: Place }) {
  const contracts = useQuery<ContractsAnswer>("/tracepact/v1/contracts/overview", {
    pollMs: POLL_MS,
    live: true,
  });
  const decisions = useQuery<DecisionsAnswer>("/tracepact/v1/contracts/decisions?limit=50", {
    pollMs: POLL_MS,
    live: true,
  });
  const proposals = useQuery<ProposalsAnswer>("/tracepact/v1/proposals", { pollMs: POLL_MS, live: true });
  const chosen = match("/contracts/proposals/:id", place.path)?.id;
  return (
    <>
      <div class="head">
        <h1>Contracts</h1>
        <AsOf query={contracts} live />
      </div>
      {chosen ? <ProposalView id={chosen} /> : null}
      <CanIDeploy place={place} known={contracts.data} />
      <Filters place={place} names={["pacticipant"]} />
      <Answer query={contracts} what="contracts">
        {(data) => (
          <>
            <Matrix data={data} />
            <Pacts data={data} place={place} />
          </>
        )}
      </Answer>
      <section aria-labelledby="decisions">
        <div class="head">
          <h2 id="decisions">Answers of the gate</h2>
          <AsOf query={decisions} live />
        </div>
        <Answer query={decisions} what="answers of the gate">
          {(data) => (
            <Decisions
              decisions={data.decisions.filter((d) => passes(place, "pacticipant", d.pacticipant))}
            />
          )}
        </Answer>
      </section>
      <section aria-labelledby="proposals">
        <div class="head">
          <h2 id="proposals">Proposals</h2>
          <AsOf query={proposals} live />
        </div>
        <Answer query={proposals} what="proposals">
          {(data) => <Proposals proposals={data.proposals} />}
        </Answer>
      </section>
    </>
  );
}

function Matrix({ data }: { data: ContractsAnswer }) {
  if (data.pacticipants.length === 0) {
    return (
      <Empty>
        No service is known to the broker yet. Publish a contract:{" "}
        <code>tracepact contract publish pacts/*.json</code>, or point a Pact client at the broker's address.
      </Empty>
    );
  }
  return (
    <section aria-labelledby="matrix">
      <div class="head">
        <h2 id="matrix">What runs where</h2>
      </div>
      <Scroll label="What runs where">
        <table>
          <thead>
            <tr>
              <th scope="col">Pacticipant</th>
              <th scope="col">Newest version</th>
              {data.environments.map((e) => (
                <th scope="col" key={e.name}>
                  {e.name}
                  {e.production && e.name !== "production" ? " (production)" : ""}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.pacticipants.map((p) => (
              <tr key={p.name}>
                <th scope="row">
                  <Link to={`/contracts?pacticipant=${encodeURIComponent(p.name)}`}>{p.name}</Link>
                </th>
                <td class="mono">{p.latest_version ?? <span class="soft">none</span>}</td>
                {data.environments.map((e) => (
                  <td key={e.name} class="mono">
                    <Deployed versions={p.deployed.filter((d) => d.environment === e.name)} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {data.environments.length === 0 ? (
        <p class="soft">
          No environment exists yet; the first <code>tracepact record-deployment</code> needs one.
        </p>
      ) : null}
    </section>
  );
}

function Deployed({ versions }: { versions: { version: string; instance?: string | null | undefined }[] }) {
  if (versions.length === 0) return <span class="soft">not deployed</span>;
  return <>{versions.map((v) => (v.instance ? `${v.version} (${v.instance})` : v.version)).join(", ")}</>;
}

function Pacts({ data, place }: { data: ContractsAnswer; place: Place }) {
  const pacts = data.pacts.filter(
    (p) => passes(place, "pacticipant", p.consumer) || passes(place, "pacticipant", p.provider),
  );
  if (pacts.length === 0) {
    return data.pacticipants.length > 0 ? <Empty>No contract involves this pacticipant.</Empty> : null;
  }
  return (
    <section aria-labelledby="pacts">
      <div class="head">
        <h2 id="pacts">Contracts</h2>
      </div>
      <Scroll label="Contracts">
        <table>
          <thead>
            <tr>
              <th scope="col">Consumer → provider</th>
              <th scope="col">Consumer version</th>
              <th scope="col">Branch</th>
              <th scope="col">Verification</th>
              <th scope="col">By provider version</th>
              <th scope="col">When</th>
            </tr>
          </thead>
          <tbody>
            {pacts.map((p) => (
              <tr key={`${p.consumer} ${p.provider} ${p.consumer_version}`}>
                <th scope="row">
                  {p.consumer} → {p.provider}
                </th>
                <td class="mono">{p.consumer_version}</td>
                <td>{p.branch ?? <span class="soft">unknown</span>}</td>
                <td>
                  <State look={verificationLook(p.verification)} />
                </td>
                <td class="mono">{p.verified_by_version ?? <span class="soft">none</span>}</td>
                <td>{p.verified_at ? <Ago at={p.verified_at} /> : <span class="soft">never</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function Decisions({ decisions }: { decisions: Decision[] }) {
  if (decisions.length === 0) {
    return (
      <Empty>
        The gate was not asked yet. Put <code>tracepact deploy-gate --to ENVIRONMENT -- COMMAND</code> in
        front of the deploy command.
      </Empty>
    );
  }
  return (
    <Scroll label="Answers of the gate">
      <table>
        <thead>
          <tr>
            <th scope="col">Deploy</th>
            <th scope="col">Answer</th>
            <th scope="col">Why</th>
            <th scope="col">When</th>
            <th scope="col">Look</th>
          </tr>
        </thead>
        <tbody>
          {decisions.map((d) => {
            const query = new URLSearchParams({
              pacticipant: d.pacticipant,
              version: d.version,
              environment: d.environment,
            });
            const trace = traceLink(d.trace);
            return (
              <tr key={`${d.at} ${d.pacticipant} ${d.version} ${d.environment}`}>
                <th scope="row">
                  {d.pacticipant} <span class="mono">{d.version}</span> to {d.environment}
                </th>
                <td>
                  <State look={answerLook(d.deployable)} />
                </td>
                <td class="wide lines">{d.reason}</td>
                <td>
                  <Ago at={d.at} />
                </td>
                <td>
                  <span class="links">
                    <Link to={`/contracts?${query}`}>ask again</Link>
                    {trace ? <GoTo link={trace} label="failing trace" /> : null}
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}
