// The question that decides: can this version go there? No answer is also an answer: it does not go.

import { withQuery } from "../api/client";
import type { CanIDeployAnswer, CanIDeployRow, ContractsAnswer } from "../api/types";
import { useQuery } from "../api/use_query";
import { navigate, type Place } from "../router/router";
import { Answer, AsOf } from "./answer";
import { GoTo, traceLink } from "./links";
import { Scroll } from "./scroll";
import { answerLook, rowLook, State } from "./state";

export function CanIDeploy({ place, known }: { place: Place; known: ContractsAnswer | undefined }) {
  const asked = {
    pacticipant: place.query.get("pacticipant") ?? "",
    version: place.query.get("version") ?? "",
    environment: place.query.get("environment") ?? "",
  };
  const whole = asked.pacticipant !== "" && asked.version !== "" && asked.environment !== "";
  const answer = useQuery<CanIDeployAnswer>(
    whole ? withQuery("/tracepact/v1/contracts/can-i-deploy", asked) : null,
    { live: true },
  );
  const submit = (event: Event) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const query = new URLSearchParams();
    for (const name of ["pacticipant", "version", "environment"]) {
      query.set(name, String(data.get(name) ?? "").trim());
    }
    if (`?${query}` === `?${place.query}`) answer.refresh();
    else navigate(`/contracts?${query}`, "push");
  };
  return (
    <section aria-labelledby="can-i-deploy">
      <div class="head">
        <h2 id="can-i-deploy">Can I deploy?</h2>
        {whole ? <AsOf query={answer} /> : null}
      </div>
      <form class="form" onSubmit={submit} key={JSON.stringify(asked)} aria-label="Can I deploy">
        <label class="grow">
          Can I deploy
          <input
            name="pacticipant"
            list="pacticipants"
            required
            defaultValue={asked.pacticipant}
            spellcheck={false}
          />
        </label>
        <datalist id="pacticipants">
          {known?.pacticipants.map((p) => (
            <option key={p.name} value={p.name} />
          ))}
        </datalist>
        <label class="grow">
          version
          <input name="version" required defaultValue={asked.version} spellcheck={false} class="mono" />
        </label>
        <label class="grow">
          to
          <input
            name="environment"
            list="environments"
            required
            defaultValue={asked.environment}
            spellcheck={false}
          />
        </label>
        <datalist id="environments">
          {known?.environments.map((e) => (
            <option key={e.name} value={e.name} />
          ))}
        </datalist>
        <button type="submit" class="primary">
          Ask
        </button>
      </form>
      {whole ? (
        <Answer query={answer} what="answer of the gate">
          {(data) => <Verdict data={data} asked={asked} />}
        </Answer>
      ) : null}
    </section>
  );
}

function Verdict({
  data,
  asked,
}: {
  data: CanIDeployAnswer;
  asked: { pacticipant: string; version: string; environment: string };
}) {
  const tone = data.deployable === true ? "ok" : data.deployable === false ? "bad" : "warn";
  const trace = traceLink(data.trace);
  return (
    <>
      <div class={`notice ${tone}`} role="status">
        <div>
          <p class="verdict">
            <State look={answerLook(data.deployable)} /> {asked.pacticipant}{" "}
            <span class="mono">{asked.version}</span> to {asked.environment}
          </p>
          <p class="lines">{data.reason}</p>
          {data.deployable === null || data.deployable === undefined ? (
            <p class="soft">Unknown does not deploy either.</p>
          ) : null}
          {data.explain.length > 0 ? (
            <ul aria-label="What stands in the way and who clears it">
              {data.explain.map((told) => (
                <li key={told.text}>{told.text}</li>
              ))}
            </ul>
          ) : null}
          {data.waivers && data.waivers.length > 0 ? (
            <p>
              This rests on {data.waivers.length === 1 ? "a waiver" : "waivers"}:{" "}
              {data.waivers.map((w) => `${w.name} of ${w.by}, until ${w.expires_at}`).join("; ")}
            </p>
          ) : null}
          {trace ? (
            <p>
              <GoTo link={trace} label="The trace that shows what would break" />
            </p>
          ) : null}
        </div>
      </div>
      {data.rows.length > 0 ? <Rows rows={data.rows} /> : null}
    </>
  );
}

function Rows({ rows }: { rows: CanIDeployRow[] }) {
  return (
    <Scroll label="What the answer rests on">
      <table>
        <thead>
          <tr>
            <th scope="col">Consumer</th>
            <th scope="col">Provider</th>
            <th scope="col">Kind</th>
            <th scope="col">Result</th>
            <th scope="col">What does not hold</th>
            <th scope="col">What clears it</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={`${row.kind} ${row.consumer} ${row.consumer_version} ${row.provider} ${row.provider_version}`}
            >
              <th scope="row">
                {row.consumer} <span class="mono">{row.consumer_version ?? ""}</span>
              </th>
              <td>
                {row.provider} <span class="mono">{row.provider_version ?? ""}</span>
              </td>
              <td>{row.kind === "accepted" ? "accepted proposal" : row.kind}</td>
              <td>
                <State look={rowLook(row.success)} />
                {row.waived_by ? <span class="soft"> (waived: {row.waived_by})</span> : null}
                {row.ignored ? <span class="soft"> (ignored)</span> : null}
                {row.posted_by ? <span class="soft"> (posted by {row.posted_by})</span> : null}
              </td>
              <td class="wide">
                {row.mismatches.length === 0 ? (
                  <span class="soft">{row.success === true ? "nothing" : "no verification tells"}</span>
                ) : (
                  <ul>
                    {row.mismatches.map((m) => (
                      <li key={`${m.interaction} ${m.description}`}>
                        <strong>{m.interaction}</strong>
                        {m.operation ? <span class="mono"> ({m.operation})</span> : null}
                        {": "}
                        {m.description}
                      </li>
                    ))}
                  </ul>
                )}
              </td>
              <td>
                {row.clears || <span class="soft">nothing to clear</span>}
                {row.clears_by ? <span class="soft"> (by {row.clears_by})</span> : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
