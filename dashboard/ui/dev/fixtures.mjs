// Answers of the native API as the documentation gives their shapes; times are relative to now.

const now = () => Date.now();
const at = (secondsAgo) => new Date(now() - secondsAgo * 1000).toISOString();
const list = (rest) => ({ as_of: at(0), complete: true, ...rest });
const TRACE = "463ac35c9f6413ad48485a3953bb6124";

function span(id, parent, depth, service, name, kind, start, duration, more = {}) {
  return {
    span_id: id,
    parent_id: parent,
    row_parent_id: parent,
    depth: depth + 1,
    service,
    name,
    kind,
    start_offset_us: start,
    duration_us: duration,
    error: false,
    tags: {},
    events: [],
    links: [],
    shared: false,
    instance: `${service}-1`,
    version: "1.0.0",
    ...more,
  };
}

const spans = [
  span("a1", null, 0, "gateway", "POST /orders", "SERVER", 0, 184_300, {
    tags: { "http.request.method": "POST", "http.response.status_code": 201 },
  }),
  span("a2", "a1", 1, "gateway", "POST", "CLIENT", 1_200, 181_000, { remote_service: "orders" }),
  span("a3", "a2", 2, "orders", "POST /orders", "SERVER", 2_100, 178_800),
  span("a4", "a3", 3, "orders", "GET /products/{id}", "CLIENT", 3_000, 41_250, {
    error: true,
    status_message: "404 Not Found",
    remote_service: "products",
    tags: { "http.response.status_code": 404, "url.full": "http://products/products/17" },
    events: [
      { offset_us: 21_000, name: "retry", attributes: { attempt: 2 } },
      { offset_us: 44_000, name: "fallback" },
    ],
  }),
  span("a5", "a4", 4, "products", "GET /products/17", "SERVER", 4_900, 1_830.5, {
    error: true,
    status_message: "no such route",
    version: "2.0.0",
  }),
  span("a6", "a3", 3, "orders", "order-placed publish", "PRODUCER", 46_000, 900, {
    tags: { "messaging.system": "kafka", "messaging.destination.name": "order-placed" },
  }),
  span("a7", "a6", 4, "payments", "order-placed process", "CONSUMER", 52_000, 96_000, {
    tags: { "messaging.consumer.group.name": "payments", "messaging.destination.name": "order-placed" },
    links: [{ trace_id: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", span_id: "bbbbbbbbbbbbbbbb" }],
  }),
  span("a8", "a7", 5, "payments", "payment-result publish", "PRODUCER", 146_000, 700),
  span("a9", "a8", 6, "orders", "payment-result process", "CONSUMER", 149_000, 12_000),
  span("aa", "a8", 6, "notifications", "payment-result process", "CONSUMER", 150_200, 8_000),
  span("ab", "a6", 4, "deliveries", "order-placed process", "CONSUMER", 60_000, null),
];

const breaker = (instance, state, extra = {}) => ({
  service: "orders",
  instance,
  name: "stock",
  callee: "products",
  state,
  since: at(192),
  window_requests: 40,
  error_percent: 87.5,
  rejected_total: 311,
  source: "otlp",
  last_seen: at(2),
  transitions: [
    { at: at(192), from: "closed", to: "open", cause: "87.5 % of 40 requests failed in 10 s" },
    { at: at(900), from: "half_open", to: "closed", cause: "the trial call succeeded" },
    { at: at(905), from: "open", to: "half_open", cause: "5 s have passed" },
    { at: at(910), from: "closed", to: "open", cause: "60 % of 20 requests failed in 10 s" },
  ],
  ...extra,
});

const flows = [
  {
    name: "order-payment",
    request_topic: "order-placed",
    result_topic: "payment-result",
    dead_letter_topic: "order-placed.DLT",
    group: "payments",
    window_ms: 20_000,
    counts: { open: 3, answered: 10_542, queued: 12, late: 1, lost: 1, dead_lettered: 1, duplicated: 1 },
  },
];
const message = (key, verdict, reason, extra = {}) => ({
  flow: "order-payment",
  key,
  verdict,
  requested_at: at(80),
  deadline_at: at(60),
  decided_at: at(58),
  trace_id: TRACE,
  partition: 1,
  offset: 4711 + key.length,
  reason,
  ...extra,
});
const messages = [
  message(
    "order-1042",
    "lost",
    "payments committed past the request, the window of 20 s passed, and there is neither a result nor a dead letter",
  ),
  message("order-1040", "late", "the result came 31 s after the request, 11 s after its deadline", {
    answered_at: at(50),
    offset: 1,
  }),
  message("order-1039", "dead_lettered", "the request stands on order-placed.DLT", { offset: 2 }),
  message("order-1038", "duplicated", "two results for one request", { offset: 3, trace_id: null }),
];

const refusal = {
  at: at(300),
  pacticipant: "products",
  version: "2.0.0",
  environment: "production",
  deployable: false,
  reason: "orders 1.0.0 in production needs GET /products/17, and products 2.0.0 answers 404",
  trace: `/traces/${TRACE}`,
};

const proposal = {
  id: "01JD",
  content_id: "3f8e1c2ab4d5e6f708192a3b4c5d6e7f3f8e1c2ab4d5e6f708192a3b4c5d6e7f",
  state: "proposed",
  title: "stock by id",
  consumer: "orders",
  consumer_branch: "main",
  provider: "products",
  author: "mara",
  created_at: at(4000),
  updated_at: at(3900),
};

const fixed = {
  overview: () =>
    list({
      problems: [
        {
          kind: "breaker_open",
          severity: "error",
          service: "orders",
          edge: { caller: "orders", callee: "products" },
          title: "breaker stock (orders → products) is open on 2 of 2 instances",
          since: at(192),
          links: [
            { rel: "breaker", href: "/breakers?service=orders&name=stock" },
            { rel: "trace", href: "/traces?service=orders&errors=true" },
            { rel: "contract", href: "/contracts?pacticipant=products" },
          ],
        },
        {
          kind: "message_lost",
          severity: "error",
          service: "payments",
          destination: "order-placed",
          title: "1 message of order-payment lost: payments committed past it without a result",
          since: at(58),
          links: [
            { rel: "message", href: "/messages?flow=order-payment&verdict=lost" },
            { rel: "trace", href: `/traces/${TRACE}` },
          ],
        },
        {
          kind: "lag",
          severity: "warning",
          service: "payments",
          destination: "order-placed",
          title: "group payments falls behind on order-placed: 1240 messages and 31 s behind",
          since: at(41),
          links: [{ rel: "lag", href: "/messages?group=payments" }],
        },
        {
          kind: "gate_refused",
          severity: "warning",
          service: "products",
          title: `products 2.0.0 refused for production: ${refusal.reason}`,
          since: at(300),
          links: [
            { rel: "contract", href: "/contracts?pacticipant=products&version=2.0.0&environment=production" },
          ],
        },
      ],
      counts: { services: 6, breakers_open: 1, groups_lagging: 1, messages_lost: 1 },
    }),
  services: () =>
    list({
      services: ["deliveries", "gateway", "notifications", "orders", "payments", "products"].map((name) => ({
        name,
        aliases: name === "orders" ? ["Orders-Web"] : [],
        team: name === "orders" ? "checkout" : null,
        consumer_groups: ["gateway", "products"].includes(name) ? [] : [name],
        pacticipant: ["orders", "products"].includes(name) ? name : null,
        versions: [
          { version: name === "products" ? "2.0.0" : "1.0.0", first_seen: at(4000), last_seen: at(3) },
        ],
        instances: name === "gateway" ? [] : [{ id: `${name}-1`, version: "1.0.0", last_seen: at(3) }],
      })),
    }),
  events: () =>
    list({
      events: [
        {
          id: "1",
          kind: "message_verdict",
          at: at(58),
          title: "order-1042 was judged lost",
          cause: "payments committed past it without a result",
          service: "payments",
          links: [{ rel: "trace", href: `/traces/${TRACE}` }],
        },
        {
          id: "2",
          kind: "breaker_transition",
          at: at(192),
          title: "breaker stock of orders opened",
          cause: "87.5 % of 40 requests failed in 10 s",
          links: [{ rel: "breaker", href: "/breakers?service=orders" }],
        },
        {
          id: "3",
          kind: "gate_refusal",
          at: at(300),
          title: "products 2.0.0 was refused for production",
          links: [
            { rel: "contract", href: "/contracts?pacticipant=products&version=2.0.0&environment=production" },
          ],
        },
        { id: "4", kind: "deploy", at: at(1800), title: "products 1.0.0 was deployed to production" },
      ],
    }),
  traces: () =>
    list({
      traces: [0, 1, 2, 3, 4].map((n) => ({
        trace_id: TRACE.slice(0, -1) + ((4 - n + 10) % 10),
        root_service: "gateway",
        root_name: n === 3 ? "GET /orders/{id}" : "POST /orders",
        start: at(12 + n * 7),
        duration_us: 184_300 / (n + 1),
        span_count: 11,
        error_count: n === 0 ? 2 : 0,
        services: ["gateway", "orders", "products", "payments"],
      })),
    }),
  breakers: () =>
    list({
      breakers: [
        breaker("orders-1", "open"),
        breaker("orders-2", "half_open", { since: null, error_percent: null }),
        breaker("gateway-1", "closed", {
          service: "gateway",
          name: "orders",
          callee: "orders",
          error_percent: 0,
          rejected_total: 0,
          transitions: [],
        }),
        breaker("gateway-1", "forced_open", {
          service: "gateway",
          name: "reports",
          callee: null,
          transitions: [],
          window_requests: null,
        }),
      ],
    }),
  bulkheads: () =>
    list({
      bulkheads: [
        {
          service: "gateway",
          instance: "gateway-1",
          name: "orders",
          kind: "bulkhead",
          in_use: 4,
          limit: 32,
          waiting: 0,
          rejected_total: 0,
          last_seen: at(2),
        },
        {
          service: "payments",
          instance: "payments-1",
          name: "order-placed",
          kind: "permits",
          group: "payments",
          topic: "order-placed",
          in_use: 8,
          limit: 8,
          waiting: 1240,
          paused: true,
          paused_seconds_total: 41.2,
          last_seen: at(2),
        },
      ],
    }),
  lag: () =>
    list({
      groups: [
        {
          group: "payments",
          service: "payments",
          state: "Stable",
          members: 1,
          rebalances: 0,
          verdict: "warn",
          topics: [
            {
              topic: "order-placed",
              lag_messages: 1240,
              lag_seconds: 31.4,
              lost_messages: 0,
              worst_partition: 1,
              partitions: [
                {
                  partition: 0,
                  committed: 4000,
                  end: 4200,
                  start: 0,
                  lag_messages: 200,
                  lag_seconds: 5.2,
                  lost_messages: 0,
                  owner: "payments-1",
                  verdict: "ok",
                },
                {
                  partition: 1,
                  committed: 4711,
                  end: 5751,
                  start: 0,
                  lag_messages: 1040,
                  lag_seconds: 31.4,
                  lost_messages: 0,
                  owner: "payments-1",
                  verdict: "warn",
                },
              ],
            },
          ],
        },
        {
          group: "notifications",
          service: "notifications",
          state: "Empty",
          members: 0,
          rebalances: null,
          verdict: "unknown",
          topics: [
            {
              topic: "payment-result",
              lag_messages: null,
              lag_seconds: null,
              lost_messages: 0,
              partitions: [],
            },
          ],
        },
      ],
    }),
  "contracts/overview": () => ({
    as_of: at(0),
    environments: [
      { name: "staging", production: false },
      { name: "production", production: true },
    ],
    pacticipants: [
      {
        name: "orders",
        main_branch: "main",
        latest_version: "1.0.0",
        deployed: [
          { environment: "production", version: "1.0.0" },
          { environment: "staging", version: "1.0.0" },
        ],
      },
      {
        name: "products",
        main_branch: "main",
        latest_version: "2.0.0",
        deployed: [{ environment: "production", version: "1.0.0" }],
      },
    ],
    pacts: [
      {
        consumer: "orders",
        provider: "products",
        consumer_version: "1.0.0",
        branch: "main",
        content_id: "9f2c",
        verification: "failed",
        verified_by_version: "2.0.0",
        verified_at: at(310),
      },
      {
        consumer: "orders",
        provider: "payments",
        consumer_version: "1.0.0",
        branch: "main",
        content_id: "1a",
        verification: "none",
      },
    ],
  }),
  "contracts/decisions": () =>
    list({
      decisions: [
        refusal,
        {
          ...refusal,
          at: at(1810),
          version: "1.0.0",
          deployable: true,
          reason: "all 1 contracts hold",
          trace: null,
        },
      ],
    }),
  proposals: () => list({ proposals: [proposal] }),
};

export function answers(url) {
  const name = url.pathname.replace("/tracepact/v1/", "");
  if (name === "messages") {
    const verdict = url.searchParams.get("verdict");
    return list({ flows, messages: messages.filter((m) => !verdict || m.verdict === verdict) });
  }
  if (name === "contracts/can-i-deploy") {
    return {
      as_of: at(0),
      deployable: false,
      reason: refusal.reason,
      notices: [],
      trace: `/traces/${TRACE}`,
      rows: [
        {
          consumer: "orders",
          consumer_version: "1.0.0",
          provider: "products",
          provider_version: "2.0.0",
          kind: "pact",
          success: false,
          mismatches: [
            { interaction: "a request for product 17", description: "expected status 200 but was 404" },
          ],
          clears: "products passes the verification again, or orders stops using /products/{id}",
        },
        {
          consumer: "notifications",
          consumer_version: "1.0.0",
          provider: "products",
          provider_version: "2.0.0",
          kind: "accepted",
          success: null,
          mismatches: [],
          clears: "verify products 2.0.0",
        },
      ],
    };
  }
  if (name.startsWith("proposals/")) {
    return {
      as_of: at(0),
      ...proposal,
      mode: "broker",
      breaking: true,
      changes: 'breaking   "a request for product 17" response.body.price: it is expected now\n',
      affected: ["products 1.4.0 (production)"],
      interactions: ["a request for product 17: GET /products/17 → 200"],
      difference: '~ interaction "a request for product 17"\n    + $.response.body.price = 9.50\n',
      history: [{ state: "proposed", who: "mara", at: at(4000) }],
      comments: [{ author: "tom", text: "In which currency?", at: at(3950) }],
      line: [{ id: "01JC", content_id: "aa11bb22cc33dd44", state: "superseded", updated_at: at(4000) }],
    };
  }
  if (name.startsWith("traces/")) {
    const id = name.slice("traces/".length);
    if (id.startsWith("dead") || id.startsWith("000")) return undefined;
    const many = id.startsWith("1111") ? bigTrace(10_000) : spans;
    return list({
      trace_id: id,
      missing_parents: id.startsWith("2222") ? ["00f067aa0ba902b7"] : [],
      roots: 1,
      spans: many,
      header: {
        start: at(12),
        duration_us: 184_300,
        services: ["gateway", "orders", "products", "payments", "notifications", "deliveries"],
        depth: 7,
        span_count: many.length,
        error_count: 2,
      },
    });
  }
  return fixed[name]?.();
}

function bigTrace(count) {
  const services = ["gateway", "orders", "products", "payments"];
  return Array.from({ length: count }, (_, n) => {
    const depth = n === 0 ? 0 : 1 + ((n * 7) % 9 < 4 ? (n * 7) % 9 : n % 3);
    return span(
      `s${n}`,
      null,
      n === 0 ? 0 : Math.min(depth, n),
      services[n % 4],
      `step ${n}`,
      "INTERNAL",
      (n * 184_300) / count,
      184_300 / 50,
      { error: n % 997 === 500 },
    );
  });
}
