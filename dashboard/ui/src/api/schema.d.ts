// Generated from docs/openapi.json by `npm run types`. Do not edit.

export interface paths {
    "/tracepact/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Deploys, transitions, changed thresholds, contract changes, refusals, verdicts and alerts, newest first. */
        get: operations["get_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/events/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says that the feed has changed: `event: changed` with `{"version":n}`, at once and at every change. */
        get: operations["get_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is wrong now, most urgent first, since when, and where to look. */
        get: operations["get_overview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Stored measurements of breakers, bulkheads, consumers and flows. */
        get: operations["get_series"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/services": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every service under all its names: in spans, at Kafka, at the broker. */
        get: operations["get_services"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/traces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Finds traces. All conditions must hold; with `service` they must hold on spans of that service. */
        get: operations["get_traces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/traces/{trace_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One trace as a tree: merged fragments, levels, offsets. */
        get: operations["get_trace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description How much is wrong. An absent number is unknown, not zero. */
        Counts: {
            /**
             * Format: int64
             * @description Breakers open or forced open, each counted once over its instances.
             */
            breakers_open?: number | null;
            /**
             * Format: int64
             * @description Pacticipant and environment pairs whose newest gate answer is not yes.
             */
            deploys_refused?: number | null;
            /**
             * Format: int64
             * @description Consumer groups whose verdict is neither ok nor unknown.
             */
            groups_lagging?: number | null;
            /**
             * Format: int64
             * @description Messages judged lost.
             */
            messages_lost?: number | null;
            /**
             * Format: int64
             * @description Services known.
             */
            services?: number | null;
        };
        /** @description One entry of the event feed. */
        Event: {
            /**
             * Format: date-time
             * @description When it happened.
             */
            at: string;
            /** @description Machine-readable details, named by the kind: `version`, `environment`, `from`, `to`, `verdict`, `key`, … */
            attributes?: {
                [key: string]: string;
            };
            /** @description Why, as far as it is known. */
            cause?: string | null;
            /** @description The destination it is about. */
            destination?: string | null;
            /** @description The edge it is about. */
            edge?: Record<string, never> | null;
            /** @description Unique and sortable by time of writing (a ULID); delivering the same id twice stores it once. */
            id: string;
            /** @description What kind of thing happened. */
            kind: components["schemas"]["EventKind"];
            /** @description Where to look. */
            links?: components["schemas"]["Link"][];
            /** @description The service it is about. */
            service?: string | null;
            /** @description One line for people: what happened, in the past tense. */
            title: string;
        };
        /**
         * @description What kind of thing happened.
         * @enum {string}
         */
        EventKind: "deploy" | "breaker_transition" | "threshold_change" | "contract_change" | "gate_refusal" | "message_verdict" | "lag_verdict" | "alert";
        /** @description What happened. */
        EventsAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /** @description Whether every event that matches is here. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description The events, newest first. */
            events: components["schemas"]["Event"][];
        };
        /** @description An instance of a service that was seen at work. */
        Instance: {
            /** @description `service.instance.id`. */
            id: string;
            /**
             * Format: date-time
             * @description When it was last seen (RFC 3339).
             */
            last_seen?: string | null;
            /** @description The version it ran when last seen. */
            version?: string | null;
        };
        /** @description A place to look at, relative to the dashboard's origin. */
        Link: {
            /** @description The address; a path of the dashboard such as `/traces/463ac35c9f6413ad`, or an absolute https address. */
            href: string;
            /** @description What is behind it: `trace`, `breaker`, `lag`, `message`, `contract`, `proposal`, `pull-request`. */
            rel: string;
        };
        /** @description Answer of `GET /tracepact/v1/overview`. */
        OverviewAnswer: {
            /**
             * Format: date-time
             * @description When this was true (RFC 3339).
             */
            as_of: string;
            /** @description Whether every source answered. */
            complete: boolean;
            /** @description How much is wrong. What no source covers, or a source failed to tell, is absent. */
            counts: components["schemas"]["Counts"];
            /** @description Which source did not answer, and why. */
            cut?: string | null;
            /** @description What is wrong, most urgent first. */
            problems: components["schemas"]["Problem"][];
        };
        /** @description Something that is wrong. */
        Problem: {
            /** @description The topic it is about. */
            destination?: string | null;
            edge?: components["schemas"]["ProblemEdge"] | null;
            /** @description What kind of problem. */
            kind: components["schemas"]["ProblemKind"];
            /** @description Where to look, best first. */
            links: components["schemas"]["Link"][];
            /** @description The service it is about. */
            service?: string | null;
            /** @description How urgent. */
            severity: components["schemas"]["Severity"];
            /**
             * Format: date-time
             * @description Since when (RFC 3339); absent when unknown.
             */
            since?: string | null;
            /** @description One line for people. */
            title: string;
        };
        /** @description One service calling another. */
        ProblemEdge: {
            /** @description Who is called. */
            callee: string;
            /** @description Who calls. */
            caller: string;
        };
        /**
         * @description What kind of problem it is. The order is the overview's order among equals: what blinds us, what callers feel,
         *     what is late, what was prevented.
         * @enum {string}
         */
        ProblemKind: "collector" | "breaker_open" | "message_lost" | "errors" | "lag" | "gate_refused";
        /** @description Series found. */
        SeriesAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /** @description Whether every point that matches is here. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description The series, by name and labels. */
            series: components["schemas"]["SeriesPoints"][];
        };
        /** @description One series. */
        SeriesPoints: {
            /** @description Labels. */
            labels: {
                [key: string]: string;
            };
            /** @description Metric name. */
            name: string;
            /** @description (milliseconds since 1970, value), oldest first. */
            points: [
                number,
                number
            ][];
        };
        /** @description One service under all its names. */
        Service: {
            /** @description Other names it goes by in spans, breakers and metrics. */
            aliases: string[];
            /** @description Kafka consumer groups it owns: those configured and those seen. */
            consumer_groups: string[];
            /** @description Instances seen, most recently seen first. */
            instances: components["schemas"]["Instance"][];
            /** @description The name that every page shows. */
            name: string;
            /** @description Its name at the contract broker, when configured or seen there. */
            pacticipant?: string | null;
            /** @description Where its source lives. */
            repository?: string | null;
            /** @description Who is called when it is broken. */
            team?: string | null;
            /** @description Versions seen, most recently seen first. */
            versions: components["schemas"]["Version"][];
        };
        /** @description Answer of `GET /tracepact/v1/services`. */
        ServicesAnswer: {
            /**
             * Format: date-time
             * @description When this was true (RFC 3339).
             */
            as_of: string;
            /** @description Whether every source answered and nothing was left out. */
            complete: boolean;
            /** @description Why the answer is not complete. */
            cut?: string | null;
            /** @description The services, by name. */
            services: components["schemas"]["Service"][];
        };
        /**
         * @description How urgent a problem is.
         * @enum {string}
         */
        Severity: "error" | "warning";
        /** @description One trace. */
        TraceAnswer: {
            /**
             * Format: date-time
             * @description When this was true; late spans may still arrive.
             */
            as_of: string;
            /** @description Whether every stored span is here. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description What stands above the waterfall. */
            header: components["schemas"]["TraceHeader"];
            /** @description Parents that spans name and that are not stored. */
            missing_parents: string[];
            /** @description Number of spans without a parent here; one in a whole trace. */
            roots: number;
            /** @description The spans, parents before their children, siblings by start. */
            spans: components["schemas"]["TraceSpan"][];
            /** @description The trace, 16 or 32 hex digits. */
            trace_id: string;
        };
        /** @description Something that happened inside a span. */
        TraceEvent: {
            /** @description Details. */
            attributes?: {
                [key: string]: components["schemas"]["Value"];
            };
            /** @description What. */
            name: string;
            /**
             * Format: double
             * @description When, after the header's start, in microseconds.
             */
            offset_us?: number | null;
        };
        /** @description A trace as a whole. */
        TraceHeader: {
            /** @description Number of call levels. */
            depth: number;
            /**
             * Format: double
             * @description From the first start to the last end, in microseconds.
             */
            duration_us?: number | null;
            /** @description Number of spans that failed. */
            error_count: number;
            /** @description Services in the order the trace meets them. */
            services: string[];
            /** @description Number of spans. */
            span_count: number;
            /**
             * Format: date-time
             * @description Start of the root, else of the earliest span; offsets count from here.
             */
            start?: string | null;
        };
        /** @description A reference to another span. */
        TraceLink: {
            /** @description The other span. */
            span_id: string;
            /** @description The other span's trace. */
            trace_id: string;
        };
        /** @description One span at its place in the tree. */
        TraceSpan: {
            /** @description Call level; a root has 1. */
            depth: number;
            /**
             * Format: double
             * @description Length in microseconds.
             */
            duration_us?: number | null;
            /** @description Whether it failed. */
            error: boolean;
            /** @description What happened inside, in order of arrival. */
            events: components["schemas"]["TraceEvent"][];
            /** @description `service.instance.id`. */
            instance?: string | null;
            /** @description `internal`, `server`, `client`, `producer` or `consumer`. */
            kind?: string | null;
            /** @description Spans it refers to. */
            links: components["schemas"]["TraceLink"][];
            /** @description Operation. */
            name?: string | null;
            /** @description The parent the sender named. */
            parent_id?: string | null;
            /** @description The other side. */
            remote_service?: string | null;
            /** @description The parent in the tree: the client's half for a shared server span, the producer for a linked consumer. */
            row_parent_id?: string | null;
            /** @description Service that made the span. */
            service?: string | null;
            /** @description Whether it is the server's half of a span id shared with the client. */
            shared: boolean;
            /** @description Id; both halves of a shared span have the same. */
            span_id: string;
            /**
             * Format: double
             * @description Start after the header's start, in microseconds; negative when a clock is behind.
             */
            start_offset_us?: number | null;
            /** @description The application's words about its end. */
            status_message?: string | null;
            /** @description Span attributes with their types. */
            tags: {
                [key: string]: components["schemas"]["Value"];
            };
            /** @description `service.version`. */
            version?: string | null;
        };
        /** @description A trace in one line. */
        TraceSummary: {
            /**
             * Format: double
             * @description From the first start to the last end, in microseconds.
             */
            duration_us?: number | null;
            /** @description Spans that failed. */
            error_count: number;
            /** @description Operation of the first root. */
            root_name?: string | null;
            /** @description Service of the first root. */
            root_service?: string | null;
            /** @description Services in the order the trace meets them. */
            services: string[];
            /** @description Spans, the two halves of a shared one counted each. */
            span_count: number;
            /**
             * Format: date-time
             * @description Start of the root, else of the earliest span.
             */
            start?: string | null;
            /** @description The trace, 16 or 32 hex digits. */
            trace_id: string;
        };
        /** @description Traces found. */
        TracesAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /** @description Whether everything that matches, up to the limit, is here. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description The traces, those nearest to the end of the window first. */
            traces: components["schemas"]["TraceSummary"][];
        };
        Value: unknown;
        /** @description A version of a service that was seen at work. */
        Version: {
            /**
             * Format: date-time
             * @description When it was first seen (RFC 3339).
             */
            first_seen?: string | null;
            /**
             * Format: date-time
             * @description When it was last seen (RFC 3339).
             */
            last_seen?: string | null;
            /** @description `service.version`. */
            version: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_events: {
        parameters: {
            query?: {
                /** @description At or after */
                since?: string;
                /** @description Only this kind; may be repeated */
                kind?: components["schemas"]["EventKind"][];
                /** @description Only about this service, as itself or as an end of an edge */
                service?: string;
                /** @description Most events in the answer, at most 1000; 100 unless given */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventsAnswer"];
                };
            };
            /** @description A parameter is unknown, malformed or out of bounds */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_stream: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description `event: changed`, `data: {"version":n}` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
            /** @description Too many clients listen already */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_overview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What is wrong now, most urgent first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OverviewAnswer"];
                };
            };
        };
    };
    get_series: {
        parameters: {
            query?: {
                /** @description Metric name, for example `tracepact_consumer_lag_messages`; this or a label is needed */
                name?: string;
                /** @description A label that must be equal, for example `label.group=payments`; may be repeated */
                "label.{name}"?: string;
                /** @description From; an hour before `end` unless given */
                start?: string;
                /** @description To; now unless given */
                end?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The series */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SeriesAnswer"];
                };
            };
            /** @description A parameter is unknown, malformed or out of bounds */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_services: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every service under all its names */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServicesAnswer"];
                };
            };
        };
    };
    get_traces: {
        parameters: {
            query?: {
                /** @description A service of the trace, any case */
                service?: string;
                /** @description Operation name of a span, any case */
                name?: string;
                /** @description `key=value` that a span carries, or a key that must exist; may be repeated */
                tag?: string[];
                /** @description `true`: a span failed */
                errors?: boolean;
                /** @description A span took at least this long */
                min_duration_us?: number;
                /** @description The same span took at most this long */
                max_duration_us?: number;
                /** @description Traces that began at or after; an hour before `end` unless given */
                start?: string;
                /** @description Traces that began at or before; now unless given */
                end?: string;
                /** @description Most traces in the answer; 20 unless given */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The traces nearest to the end of the window */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TracesAnswer"];
                };
            };
            /** @description A parameter is unknown, malformed or out of bounds */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_trace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description 1 to 32 hex digits; short ids are padded */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The trace */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceAnswer"];
                };
            };
            /** @description Not a trace id */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
            /** @description No span of this trace is stored */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
}
