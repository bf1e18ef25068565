// Generated from docs/openapi.json by `npm run types`. Do not edit.

export interface paths {
    "/tracepact/v1/breakers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every circuit breaker seen within the last hour, with its state and last transitions. */
        get: operations["get_breakers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/broker/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who changed what, newest first. */
        get: operations["audit_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/broker/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revokes a token at once. */
        delete: operations["delete_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/broker/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The broker's users with their rights and tokens. */
        get: operations["list_users"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/broker/users/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Makes a user, or changes password and rights. The first user closes the broker for everybody who is none. */
        put: operations["put_user"];
        post?: never;
        /** Removes a user with all their tokens. What they published stays. */
        delete: operations["delete_user"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/broker/users/{name}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a token of a user. It is shown this once. */
        post: operations["add_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/bulkheads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every bulkhead and every consumer's permits seen within the last hour. */
        get: operations["get_bulkheads"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/contracts/backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A consistent copy of the broker's database, as a SQLite file. */
        get: operations["backup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/contracts/can-i-deploy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** May this version go to that environment? */
        get: operations["can_i_deploy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/contracts/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Asks, before any pull request, whether the provider versions of an environment are known to keep a contract.
         *     Nothing is stored.
         */
        post: operations["check"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/contracts/clean": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Delete the versions that no selector keeps, or only say which. */
        post: operations["clean"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/contracts/decisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Answers the gate gave, newest first. */
        get: operations["decisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/contracts/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take over a part of another broker's content. */
        post: operations["import"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/contracts/matrix": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Rows of one or two pacticipants, as the gate sees them. */
        get: operations["matrix"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/contracts/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Environments, pacticipants and the latest contract of every pair. */
        get: operations["overview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/contracts/verification-requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Asks for the verifications that a deploy waits for, by the webhooks for `contract_requiring_verification_published`. */
        post: operations["ask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/environments/{environment}/lease": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who deploys to an environment at the moment. */
        get: operations["holder"];
        put?: never;
        /** Takes the lease on an environment, so that nobody else deploys to it at the same time. */
        post: operations["acquire"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/environments/{environment}/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an environment demands of exceptions. */
        get: operations["rules"];
        /** Sets what an environment demands of exceptions. */
        put: operations["set_rules"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
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
    "/tracepact/v1/lag": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far each consumer group is behind, by topic and partition. Read in the background, never by this question. */
        get: operations["get_lag"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/leases/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Extends a lease. */
        put: operations["renew"];
        post?: never;
        /** Ends a lease without recording anything. */
        delete: operations["release"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/leases/{id}/deployment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Records that what the lease was taken for is deployed, and ends the lease. A lost lease records nothing. */
        post: operations["record"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What became of the messages of each configured flow. Learned from Kafka alone: a message never produced is invisible. */
        get: operations["get_messages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/names/{kind}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Names that were seen within the lookback; of every tag, not only of configured ones. */
        get: operations["get_names"];
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
    "/tracepact/v1/proposals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Proposals, newest first. */
        get: operations["list"];
        put?: never;
        /** Proposes a contract. The same content on the same line again is the same proposal (200). */
        post: operations["propose"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/proposals/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One proposal with its content and history. */
        get: operations["get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/proposals/{id}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accepts a proposal in the provider's name: from now on its build fails when it violates the contract. */
        post: operations["accept"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/proposals/{id}/comments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Says something about a proposal. */
        post: operations["comment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/proposals/{id}/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Turns a draft into a proposal. */
        post: operations["ready"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/proposals/{id}/reject": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Rejects a proposal in the provider's name. */
        post: operations["reject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/proposals/{id}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes a proposal back in the consumer's name; nobody is bound by it any more. */
        post: operations["withdraw"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/providers/{provider}/acceptance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where a provider accepts contracts. */
        get: operations["mode"];
        /** Sets where a provider accepts contracts. */
        put: operations["set_mode"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/providers/{provider}/sync": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reports the contract files of a provider's main branch: what is there is accepted, what is gone is retired unless
         *     a live consumer version needs it.
         */
        post: operations["sync"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/red": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Rate, errors and durations of what services handle, and of the calls between them.
         * @description Counted as spans arrive, before sampling, by the minute of receipt: SERVER and CONSUMER spans by service, operation, version and instance; CLIENT and PRODUCER spans that name the other side by edge.
         */
        get: operations["get_red"];
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
    "/tracepact/v1/snapshots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The snapshots that are kept. */
        get: operations["get_snapshots"];
        put?: never;
        /**
         * Makes a snapshot of spans, series and events as they are now, in the data directory's `snapshots/`, checks it and says
         *     what it holds. Ingest goes on meanwhile. It holds no contracts and no tokens.
         */
        post: operations["post_snapshot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/snapshots/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Removes a snapshot and gives back the disk space of what the store itself no longer holds. */
        delete: operations["delete_snapshot"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/store": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the store holds and what is pending. */
        get: operations["get_store"];
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
    "/tracepact/v1/traces/compare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Compares failed or slow traces with the rest of the window. */
        get: operations["get_compare"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/traces/delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deletes the traces that a search finds: the conditions are those of `GET /tracepact/v1/traces`. At least one
         *     condition, or the window, must be named; at most `limit` traces go, those nearest to the end of the window first.
         */
        post: operations["delete_matching"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/traces/histogram": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How long traces took, over time: a heat map's cells. */
        get: operations["get_histogram"];
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
        /**
         * One trace as a tree: merged fragments, levels, offsets; with clock skew, self times, the critical path and calls that
         *     were made again needlessly.
         */
        get: operations["get_trace"];
        put?: never;
        post?: never;
        /**
         * Deletes one trace: what was received of it so far. Hidden from every answer once this is answered, durably; its rows
         *     leave the disk with the next sealing and compaction. Spans of the trace that arrive later are kept.
         */
        delete: operations["delete_trace"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/traces/{trace_id}/skeleton": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One trace of any size as columns; what a span says beyond them is asked for with `…/spans`. */
        get: operations["get_skeleton"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/traces/{trace_id}/spans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What some spans say: tags, events, links. Ids that are not in the trace are left out. */
        get: operations["get_spans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/waivers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Waivers, newest first; those that are over as well. */
        get: operations["list_waivers"];
        put?: never;
        /** Gives a waiver: rows it covers that do not hold no longer keep the gate closed, and are listed with its name. */
        post: operations["waive"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/waivers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One waiver with its history. */
        get: operations["get_waiver"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/waivers/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The second person's yes. */
        post: operations["approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tracepact/v1/waivers/{id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends a waiver before its time. */
        post: operations["revoke"];
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
        /** @description Where a provider accepts contracts. */
        Acceptance: {
            /** @description `broker`: button and command. `repository`: the merge of the contract file, reported by `sync`. */
            mode: string;
            /** @description The team that is asked when a proposal names none. */
            team?: string | null;
        };
        /** @description One attribute on both sides. A trace has it when any of its spans has. */
        AttributeDifference: {
            /**
             * Format: double
             * @description The first share less the second.
             */
            difference: number;
            /** @description The key. */
            key: string;
            /** @description `intrinsic` (`service`, `name`, `kind`, `remote_service`), `span` or `resource`. */
            level: string;
            /**
             * Format: int64
             * @description Others that have it.
             */
            rest_count: number;
            /**
             * Format: double
             * @description Share of the others, 0 to 1.
             */
            rest_share: number;
            /**
             * Format: int64
             * @description Selected traces that have it.
             */
            selected_count: number;
            /**
             * Format: double
             * @description Share of the selected that have it, 0 to 1.
             */
            selected_share: number;
            /** @description The value as text, its first 200 bytes. */
            value: string;
        };
        /** @description One change. */
        AuditEntry: {
            at: string;
            /** Format: int64 */
            id: number;
            /** @description The request that made it, or the change in words. */
            what: string;
            /** @description A user's name, `admin token`, `token` or `anonymous`. */
            who: string;
        };
        /** @description Changes, newest first. */
        AuditLog: {
            /** @description When this was true. */
            as_of: string;
            /** @description Whether the log ends here; else ask again with `before` the last entry's id. */
            complete: boolean;
            entries: components["schemas"]["AuditEntry"][];
        };
        /** @description Some blocks. */
        BlocksAnswer: {
            /**
             * Format: int64
             * @description How many.
             */
            blocks: number;
            /**
             * Format: int64
             * @description Bytes on disk.
             */
            bytes: number;
            /**
             * Format: date-time
             * @description Earliest time in them.
             */
            from?: string | null;
            /**
             * Format: int64
             * @description Rows in them.
             */
            rows: number;
            /**
             * Format: date-time
             * @description Latest time in them.
             */
            to?: string | null;
        };
        /**
         * @description States of a circuit breaker, resilience4j's and Hystrix's together.
         * @enum {string}
         */
        BreakerState: "closed" | "open" | "half_open" | "forced_open" | "disabled";
        /** @description A breaker in an answer. */
        BreakerView: {
            /** @description The service it calls. */
            callee?: string | null;
            /**
             * Format: double
             * @description Share of failures in its window, 0 to 100.
             */
            error_percent?: number | null;
            /** @description The process; empty when unknown. */
            instance: string;
            /**
             * Format: date-time
             * @description When the last sample was taken.
             */
            last_seen: string;
            /** @description Its name within the process. */
            name: string;
            /**
             * Format: double
             * @description Calls turned away by it since its process began, rejected and short-circuited.
             */
            rejected_total?: number | null;
            /** @description The service whose calls it guards. */
            service: string;
            /**
             * Format: date-time
             * @description Since when it has this state; absent when it had it before we looked.
             */
            since?: string | null;
            /** @description Where the last sample came from. */
            source: components["schemas"]["Source"];
            /** @description Its state. */
            state: components["schemas"]["BreakerState"];
            /** @description Its last transitions, oldest first. */
            transitions: components["schemas"]["TransitionView"][];
            /**
             * Format: double
             * @description Requests in its window.
             */
            window_requests?: number | null;
        };
        /** @description Circuit breakers. */
        BreakersAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /** @description The breakers, by service, instance and name. */
            breakers: components["schemas"]["BreakerView"][];
            /** @description Whether every breaker seen lately is here. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
        };
        /**
         * @description Whether places bound calls or records, for answers.
         * @enum {string}
         */
        BulkheadKind: "bulkhead" | "permits";
        /** @description A bulkhead, or the permits of a consumer, in an answer. */
        BulkheadView: {
            /** @description The consumer group, for permits. */
            group?: string | null;
            /**
             * Format: double
             * @description Places taken.
             */
            in_use?: number | null;
            /** @description The process; empty when unknown. */
            instance: string;
            /** @description What its places bound. */
            kind: components["schemas"]["BulkheadKind"];
            /**
             * Format: date-time
             * @description When the last sample was taken.
             */
            last_seen: string;
            /**
             * Format: double
             * @description Places.
             */
            limit?: number | null;
            /** @description The bulkhead's name; for permits the consumer group. */
            name: string;
            /** @description Whether fetching is paused. */
            paused?: boolean | null;
            /**
             * Format: double
             * @description Seconds paused since the process began.
             */
            paused_seconds_total?: number | null;
            /**
             * Format: double
             * @description Turned away since the process began.
             */
            rejected_total?: number | null;
            /** @description The service. */
            service: string;
            /** @description The topic, for permits. */
            topic?: string | null;
            /**
             * Format: double
             * @description Waiting for a place.
             */
            waiting?: number | null;
        };
        /** @description Bulkheads and consumer permits. */
        BulkheadsAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /** @description The bulkheads, by service, instance and name. */
            bulkheads: components["schemas"]["BulkheadView"][];
            /** @description Whether everything seen lately is here. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
        };
        /** @description Whether what is deployed is known to keep a contract. */
        CheckAnswer: {
            as_of: string;
            /** @description Whether it asks more than the consumer version that is live there; absent when none is. */
            breaking?: boolean | null;
            /** @description The changes against that version, one per line. */
            changes?: string | null;
            /** @description Every interaction is known to be kept by every live provider version. */
            kept: boolean;
            versions: components["schemas"]["CheckedVersion"][];
        };
        /** @description A contract, and where it is to be kept. */
        CheckQuestion: {
            /** @description The pact. */
            content: Record<string, never>;
            /** @description The environment whose provider versions are asked about. */
            environment: string;
        };
        /** @description One interaction of the contract. */
        CheckedInteraction: {
            interaction: string;
            /** @description `kept` when a verified contract of any consumer shows it, else `unknown`. */
            state: string;
        };
        /** @description One provider version that is live in the environment. */
        CheckedVersion: {
            interactions: components["schemas"]["CheckedInteraction"][];
            version: string;
        };
        /** @description What was deleted, or would be. */
        CleanAnswer: {
            as_of: string;
            /**
             * Format: int64
             * @description Branches that had no version any more; absent in a dry run.
             */
            branches_deleted?: number | null;
            /**
             * Format: int64
             * @description Contents that no version carried any more; absent in a dry run.
             */
            contents_deleted?: number | null;
            /** @description Versions that go. */
            deleted: components["schemas"]["CleanedVersion"][];
            dry_run: boolean;
            /** @description Versions that stay, by reason. */
            kept: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description Versions that could go as well and stay because of the limit.
             */
            left: number;
        };
        /** @description What to keep; everything else goes. */
        CleanRequest: {
            /** @description Only say what would be deleted. True unless it is `false`. */
            dry_run?: boolean | null;
            /**
             * @description Versions that any of these fits are kept. Left out: the last 90 days, the head of every branch and tag, and the
             *     newest version. What is deployed, released, or has results for a contract in use is kept in any case.
             */
            keep?: components["schemas"]["KeepSelector"][] | null;
            /** @description Most versions to delete, oldest first; 1000 unless said. */
            limit?: number | null;
        };
        /** @description A version that goes. */
        CleanedVersion: {
            pacticipant: string;
            version: string;
        };
        /** @description Attributes by how much their share differs. */
        CompareAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /** @description Whether every trace that matches is counted. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description The greatest differences first, whichever way. */
            differences: components["schemas"]["AttributeDifference"][];
            /** @description Keys with a value of their own in nearly every trace: ids and times tell nothing. */
            left_out: string[];
            /**
             * Format: int64
             * @description The other traces of the window that meet the conditions.
             */
            rest_count: number;
            /** @description What was selected: `errors` or `slow`. */
            select: string;
            /**
             * Format: int64
             * @description Traces selected.
             */
            selected_count: number;
            /**
             * Format: double
             * @description From which length on a trace is slow, in microseconds; absent when failed ones were selected, or none has a length.
             */
            slower_than_us?: number | null;
        };
        /** @description One contract file. */
        ContractFile: {
            /** @description The consumer branch it came from. */
            consumer_branch?: string | null;
            /** @description The pact. */
            content: Record<string, never>;
        };
        /** @description Environments, pacticipants and the latest contract of every pair. */
        ContractsOverview: {
            /** @description When this was true. */
            as_of: string;
            /** @description Whether nothing was left out. */
            complete: boolean;
            /** @description What was left out. */
            cut?: string | null;
            environments: components["schemas"]["EnvironmentSummary"][];
            pacticipants: components["schemas"]["PacticipantSummary"][];
            pacts: components["schemas"]["PactSummary"][];
        };
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
        /** @description A stretch of time in which the trace waited for one span's own work. */
        CriticalSegment: {
            /**
             * Format: double
             * @description Its length in microseconds.
             */
            duration_us: number;
            /** @description Which of `spans`, counted from 0. */
            row: number;
            /**
             * Format: double
             * @description Its start after the header's, in microseconds.
             */
            start_offset_us: number;
        };
        /** @description One answer the gate gave. */
        Decision: {
            /** @description When it was first given. */
            at: string;
            /** @description Yes, no; absent: unknown. */
            deployable?: boolean | null;
            environment: string;
            /** @description Waivers and ignored pairs it rests on. */
            exceptions?: unknown;
            /** @description When it was last given. */
            last_at: string;
            pacticipant: string;
            reason: string;
            /**
             * Format: int64
             * @description How many times in a row it was given.
             */
            times: number;
            /** @description Link to a trace in which the breakage was seen. */
            trace?: string | null;
            version: string;
        };
        /** @description Answers the gate gave, newest first. */
        Decisions: {
            /** @description When this was true. */
            as_of: string;
            /** @description Whether these are all that are kept. */
            complete: boolean;
            /** @description What was left out. */
            cut?: string | null;
            decisions: components["schemas"]["Decision"][];
        };
        /** @description What a deletion did. */
        DeletedAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /**
             * @description Whether everything that matches is in the list: `false` when the limit was reached (ask again for the rest) or
             *     something could not be read.
             */
            complete: boolean;
            /** @description What is missing, when not complete. */
            cut?: string | null;
            /** @description Nothing was deleted: only looked. */
            dry_run: boolean;
            /**
             * Format: int64
             * @description Deleted traces whose rows are hidden and not yet off the disk.
             */
            pending_traces: number;
            /** @description The traces that no query shows any more; with `dry_run` those that would be deleted. */
            traces: string[];
        };
        /** @description A version in an environment. */
        DeployedSummary: {
            environment: string;
            /** @description The application instance, where several are told apart. */
            instance?: string | null;
            /** @description Released and supported, beside whatever else is, instead of deployed. */
            released?: boolean;
            since: string;
            version: string;
        };
        /** @description A class of durations: above `from_us`, up to and with `to_us`. */
        DurationClass: {
            /**
             * Format: double
             * @description Lower bound in microseconds, not part of the class; 0 for the first one, which has it.
             */
            from_us: number;
            /**
             * Format: double
             * @description Upper bound in microseconds, part of the class.
             */
            to_us: number;
        };
        EnvironmentPart: {
            contacts?: Record<string, never>[] | null;
            created_at?: string | null;
            display_name?: string | null;
            name: string;
            production?: boolean;
        };
        /** @description An environment. */
        EnvironmentSummary: {
            name: string;
            production: boolean;
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
        /** @description One thing that stands in the way or should be known. */
        Explained: {
            /** @description Whether waiting is enough. */
            clears_by_itself?: boolean | null;
            /** @description The command that does it. */
            command?: string | null;
            /** @description `missing_version`, `empty_environment`, `nobody_there`, `unverified`, `failed` or `waived`. */
            kind: string;
            /** @description All of it, for people. */
            text: string;
            /** @description Whose people or pipeline can act. */
            who?: string | null;
        };
        /** @description How many messages of a flow have which verdict since the audit began; `open` is now. */
        FlowCounts: {
            /**
             * Format: int64
             * @description Answered within the window.
             */
            answered: number;
            /**
             * Format: int64
             * @description Put into the dead-letter topic.
             */
            dead_lettered: number;
            /**
             * Format: int64
             * @description Requested or answered more than once.
             */
            duplicated: number;
            /**
             * Format: int64
             * @description Answered, but after the window.
             */
            late: number;
            /**
             * Format: int64
             * @description Taken by the consumer, past the window, and neither answered nor dead-lettered.
             */
            lost: number;
            /**
             * Format: int64
             * @description Neither answered nor judged yet.
             */
            open: number;
            /**
             * Format: int64
             * @description Past the window and not yet taken by the consumer: its group has not committed past them. Now, not since.
             */
            queued: number;
        };
        /** @description A flow in an answer. */
        FlowView: {
            /** @description Messages by verdict. */
            counts: components["schemas"]["FlowCounts"];
            /** @description Topic of dead letters. */
            dead_letter_topic?: string | null;
            /** @description Why the counts are old; absent when all is well. */
            error?: string | null;
            /** @description The consumer group that must answer. */
            group: string;
            /** @description Its name in the configuration. */
            name: string;
            /** @description Topic of requests. */
            request_topic: string;
            /** @description Topic of results. */
            result_topic: string;
            /**
             * Format: int64
             * @description How long an answer may take, milliseconds.
             */
            window_ms: number;
        };
        /** @description The gate's answer. */
        GateAnswer: {
            /** @description When this was true. */
            as_of: string;
            /** @description Yes, no; absent: unknown, which also means "do not deploy". */
            deployable?: boolean | null;
            /** @description Why not, or what to know before going on: who clears what, and how. The same text everywhere. */
            explain: components["schemas"]["Explained"][];
            /** @description Warnings, and what to do next. */
            notices: string[];
            /** @description Why, line by line. */
            reason: string;
            /** @description Every row the answer rests on. */
            rows: components["schemas"]["GateRow"][];
            trace?: components["schemas"]["Link"] | null;
            /** @description Waivers that let rows pass which do not hold. */
            waivers?: components["schemas"]["UsedWaiver"][];
        };
        /** @description One thing that did not hold. */
        GateMismatch: {
            /** @description What differed. */
            description: string;
            /** @description The interaction's description. */
            interaction: string;
            /** @description `GET /item/1`. */
            operation?: string | null;
        };
        /** @description One pair of versions, or one accepted contract. */
        GateRow: {
            /** @description Who accepted the proposal, when known. */
            accepted_by?: string | null;
            /** @description What clears it and who; absent when it holds. */
            clears?: string | null;
            /** @description Who can clear it. */
            clears_by?: string | null;
            /** @description Whether waiting is enough. */
            clears_by_itself?: boolean | null;
            consumer: string;
            /** @description Absent for an accepted contract: no version of the consumer needs to carry it yet. */
            consumer_version?: string | null;
            content_id: string;
            /** @description Left out of the decision because it was asked for. */
            ignored?: boolean;
            /** @description `pact` or `accepted`. */
            kind: string;
            /** @description What did not hold. */
            mismatches: components["schemas"]["GateMismatch"][];
            /** @description Who posted the result, when known. */
            posted_by?: string | null;
            /** @description The proposal, for an accepted contract. */
            proposal?: string | null;
            provider: string;
            /** @description Absent when no version is in the environment. */
            provider_version?: string | null;
            /** @description Verified, failed; absent: no result. */
            success?: boolean | null;
            /** @description The build that verified it. */
            verification_url?: string | null;
            verified_at?: string | null;
            /** @description The waiver because of which it does not count. */
            waived_by?: string | null;
        };
        /** @description What an environment demands of exceptions. */
        GateRules: {
            /** @description Who sets them. */
            by?: string | null;
            /** @description `ignore` has no effect on deploys to it. */
            forbid_ignore: boolean;
            /** @description A waiver counts only once somebody else approved it. */
            second_person: boolean;
        };
        /** @description A consumer group. */
        GroupView: {
            /** @description Group name. */
            group: string;
            /** @description Members. */
            members?: number | null;
            /**
             * Format: int64
             * @description Rebalances its members counted since they began.
             */
            rebalances?: number | null;
            /** @description The service it belongs to, by the configuration. */
            service?: string | null;
            /** @description Kafka's state of the group: `Stable`, `Empty`, `PreparingRebalance`, …; `Unknown` when it could not be asked. */
            state: string;
            /** @description Its topics, by name. */
            topics: components["schemas"]["TopicView"][];
            /** @description The worst verdict of its partitions. */
            verdict: components["schemas"]["Verdict"];
        };
        /** @description Traces by their start and their length. */
        HistogramAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /** @description How many traces; cells without any are left out. */
            cells: components["schemas"]["HistogramCell"][];
            /** @description Whether every trace that matches is counted. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description The classes of duration that occur and those between them. */
            durations: components["schemas"]["DurationClass"][];
            /**
             * Format: date-time
             * @description Start of the first step.
             */
            start: string;
            /**
             * Format: double
             * @description Length of a step in microseconds.
             */
            step_us: number;
            /** @description Number of steps. */
            steps: number;
            /**
             * Format: int64
             * @description Traces counted.
             */
            traces: number;
            /**
             * Format: int64
             * @description Traces of the window that do not say how long they took; they are in no cell.
             */
            without_duration: number;
        };
        /** @description Traces of one step and one class. */
        HistogramCell: {
            /**
             * Format: int64
             * @description How many.
             */
            count: number;
            /** @description Which of `durations`, counted from 0. */
            duration: number;
            /**
             * Format: int64
             * @description How many of them have a span that failed.
             */
            error_count: number;
            /** @description Which step, counted from 0. */
            step: number;
        };
        /** @description How much of the part was new. */
        ImportAnswer: {
            as_of: string;
            /** Format: int64 */
            environments: number;
            /** @description What stays as it is here although the other broker says otherwise. */
            kept: string[];
            /** Format: int64 */
            pacticipants: number;
            /** Format: int64 */
            pacts: number;
            /** Format: int64 */
            presences: number;
            /** Format: int64 */
            results: number;
            /** Format: int64 */
            versions: number;
        };
        /**
         * @description A part of another broker's content; every list may be left out. Parts are independent of one another as long as what is
         *     named was sent before or is in the same part. Instants are RFC 3339. Sent again, it changes nothing.
         */
        ImportRequest: {
            deployments?: components["schemas"]["PresencePart"][];
            environments?: components["schemas"]["EnvironmentPart"][];
            pacticipants?: components["schemas"]["PacticipantPart"][];
            pacts?: components["schemas"]["PactPart"][];
            releases?: components["schemas"]["PresencePart"][];
            /** @description In the order of their creation: of one content and provider version the last one counts. */
            results?: components["schemas"]["ResultPart"][];
            /** @description In the order of their creation: the last one on a branch is its head. */
            versions?: components["schemas"]["VersionPart"][];
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
        /** @description All that is set has to hold. */
        KeepSelector: {
            /** @description On the branch of this name, or `true`: on any. */
            branch?: Record<string, never> | null;
            /** @description Only the head of the line named beside it; alone: the newest version. */
            latest?: boolean;
            /** @description On the main branch. */
            main_branch?: boolean;
            /**
             * Format: int32
             * @description Not older than this many days.
             */
            max_age_days?: number | null;
            /** @description Only versions of this pacticipant. */
            pacticipant?: string | null;
            /** @description With the tag of this name, or `true`: with any. */
            tag?: Record<string, never> | null;
        };
        /** @description Consumer lag. */
        LagAnswer: {
            /**
             * Format: date-time
             * @description When the offsets were read.
             */
            as_of: string;
            /** @description Whether every group is here and up to date. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description Why Kafka could not be asked, when it could not. */
            error?: string | null;
            /** @description The groups, by name. */
            groups: components["schemas"]["GroupView"][];
        };
        /** @description A lease that was got. */
        Lease: {
            expires_at: string;
            /**
             * Format: int64
             * @description Grows with every holder of the environment.
             */
            fence: number;
            holder: string;
            /** @description Names the lease in the requests that renew it, end it and record under it. */
            id: string;
            pacticipant: string;
            version: string;
        };
        /** @description Who deploys to an environment. */
        LeaseHolder: {
            acquired_at?: string | null;
            /** @description When this was true. */
            as_of: string;
            expires_at?: string | null;
            /** @description Whether somebody deploys at the moment. */
            held: boolean;
            holder?: string | null;
            pacticipant?: string | null;
            version?: string | null;
        };
        /** @description For how long. */
        LeaseRenewal: {
            /** Format: int64 */
            life_s: number;
        };
        /** @description What would be deployed, and by whom. */
        LeaseWish: {
            /** @description Who deploys: a pipeline and its run, for people who find the environment taken. */
            holder: string;
            /**
             * Format: int64
             * @description Without renewal it ends after so many seconds, 5 to 600.
             */
            life_s: number;
            pacticipant: string;
            version: string;
            /**
             * Format: int64
             * @description Wait so many seconds (60 at most) for the present holder to end.
             */
            wait_s?: number;
        };
        /** @description What was deployed where. */
        LeasedDeployment: {
            /** @description The application instance, where there are several. */
            application_instance?: string | null;
        };
        /** @description Another content of the same line. */
        LineEntry: {
            content_id: string;
            id: string;
            state: string;
            updated_at: string;
        };
        /** @description A place to look at, relative to the dashboard's origin. */
        Link: {
            /** @description The address; a path of the dashboard such as `/traces/463ac35c9f6413ad`, or an absolute https address. */
            href: string;
            /** @description What is behind it: `trace`, `breaker`, `lag`, `message`, `contract`, `proposal`, `pull-request`. */
            rel: string;
        };
        /**
         * @description What became of a message.
         * @enum {string}
         */
        MessageVerdict: "open" | "answered" | "queued" | "late" | "lost" | "dead_lettered" | "duplicated";
        /** @description A message in an answer. */
        MessageView: {
            /**
             * Format: date-time
             * @description When it was answered.
             */
            answered_at?: string | null;
            /**
             * Format: date-time
             * @description Until when its answer is due.
             */
            deadline_at: string;
            /**
             * Format: date-time
             * @description When the verdict was reached.
             */
            decided_at?: string | null;
            /** @description The flow. */
            flow: string;
            /** @description Correlation key. */
            key: string;
            /**
             * Format: int64
             * @description Offset of the request.
             */
            offset: number;
            /**
             * Format: int32
             * @description Partition of the request.
             */
            partition: number;
            /** @description Why this verdict, in one sentence. */
            reason: string;
            /**
             * Format: date-time
             * @description When it was produced.
             */
            requested_at: string;
            /** @description The trace it belongs to. */
            trace_id?: string | null;
            /** @description The verdict. */
            verdict: components["schemas"]["MessageVerdict"];
        };
        /** @description Flows and their messages. */
        MessagesAnswer: {
            /**
             * Format: date-time
             * @description When the topics were read.
             */
            as_of: string;
            /** @description Whether every message with a verdict that matches is here. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description The configured flows with their counts. */
            flows: components["schemas"]["FlowView"][];
            /** @description Messages with a verdict, newest first, then those that wait past their window. */
            messages: components["schemas"]["MessageView"][];
        };
        /** @description Names seen, sorted. */
        NamesAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /** @description Whether every name that was seen is here. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description The names. */
            names: string[];
        };
        /** @description A contribution to the discussion. */
        NewComment: {
            /** @description Who says it. */
            author?: string | null;
            /** @description What is said, at most 10 000 bytes. */
            text: string;
        };
        /** @description A contract that a consumer proposes to its provider. */
        NewProposal: {
            /** @description Who proposes. */
            author?: string | null;
            consumer: string;
            /** @description The consumer's branch; consumer, provider and branch are one line of proposals. */
            consumer_branch: string;
            /** @description The pact. Either this or `content_id`. */
            content?: Record<string, never> | null;
            /** @description The id of a published content. */
            content_id?: string | null;
            /** @description Not to be decided yet: true registers a draft. */
            draft?: boolean;
            provider: string;
            pull_request_url?: string | null;
            /** @description The provider's team that is asked. */
            team?: string | null;
            title?: string | null;
        };
        /** @description A waiver to be given. */
        NewWaiverBody: {
            /** @description Who gives it. */
            by: string;
            consumer?: string | null;
            consumer_version?: string | null;
            environment: string;
            /**
             * Format: int64
             * @description After so many seconds it ends by itself; 90 days at most.
             */
            expires_in_s: number;
            /** @description How people speak of it, for example a ticket's number. */
            name: string;
            provider?: string | null;
            provider_version?: string | null;
            reason: string;
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
            problems: components["schemas"]["OverviewProblem"][];
        };
        /** @description Something that is wrong. */
        OverviewProblem: {
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
        PactPart: {
            /** @description The pact as text, so that numbers keep their form. */
            content: string;
            created_at?: string | null;
            /** @description The consumer's version; consumer and provider stand in the pact. */
            version: string;
        };
        /** @description The latest contract of a pair. */
        PactSummary: {
            /** @description The provider accepted this content. */
            accepted: boolean;
            branch?: string | null;
            consumer: string;
            consumer_version: string;
            content_id: string;
            provider: string;
            published_at: string;
            /** @description `ok`, `failed`, `pending` (never verified successfully, so a failure breaks nothing) or `none`. */
            verification: string;
            verified_at?: string | null;
            verified_by_version?: string | null;
        };
        PacticipantPart: {
            created_at?: string | null;
            display_name?: string | null;
            labels?: string[];
            main_branch?: string | null;
            name: string;
            repository_url?: string | null;
        };
        /** @description A pacticipant and where it runs. */
        PacticipantSummary: {
            deployed: components["schemas"]["DeployedSummary"][];
            latest_version?: string | null;
            main_branch?: string | null;
            name: string;
        };
        /** @description A partition as one group reads it. */
        PartitionView: {
            /**
             * Format: int64
             * @description How far the commit lies beyond the end; the sign of a recreated topic or a foreign commit.
             */
            ahead_messages?: number;
            /**
             * Format: int64
             * @description Offset the group committed; absent when it never did.
             */
            committed?: number | null;
            /**
             * Format: int64
             * @description Offset of the next record to be written.
             */
            end: number;
            /**
             * Format: int64
             * @description Records between commit (or log start, if later) and end.
             */
            lag_messages?: number | null;
            /**
             * Format: double
             * @description Age of the oldest record not committed past, seconds.
             */
            lag_seconds?: number | null;
            /** @description Whether `lag_seconds` is a lower bound: the backlog is older than our memory of the partition. */
            lag_seconds_at_least?: boolean;
            /**
             * Format: int64
             * @description Records that retention removed before the group committed past them.
             */
            lost_messages: number;
            /** @description Member that owns the partition. */
            owner?: string | null;
            /**
             * Format: int32
             * @description Partition number.
             */
            partition: number;
            /**
             * Format: int64
             * @description First offset that can be read.
             */
            start: number;
            /** @description What the last minutes say. */
            verdict: components["schemas"]["Verdict"];
        };
        PresencePart: {
            created_at?: string | null;
            /** @description The environment's name. */
            environment: string;
            /** @description The application instance of a deployment. */
            instance?: string | null;
            pacticipant: string;
            version: string;
        };
        /** @description A refusal (RFC 9457, `application/problem+json`). */
        Problem: {
            code: string;
            detail: string;
            /** Format: int32 */
            status: number;
            title: string;
            type: string;
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
        /** @description A proposal. */
        Proposal: {
            author?: string | null;
            consumer: string;
            consumer_branch: string;
            content_id: string;
            created_at: string;
            id: string;
            provider: string;
            pull_request_url?: string | null;
            /** @description `draft`, `proposed`, `accepted`, `enforced`, `rejected`, `withdrawn`, `superseded` or `retired`. */
            state: string;
            team?: string | null;
            title: string;
            updated_at: string;
        };
        /** @description The answer to a proposal. */
        ProposalAnswer: {
            /**
             * @description Why.
             * @default null
             */
            reason: string | null;
            /**
             * @description Who answers.
             * @default null
             */
            who: string | null;
        };
        /** @description A contribution to the discussion. */
        ProposalComment: {
            at: string;
            author?: string | null;
            text: string;
        };
        /** @description A proposal with its content and history. */
        ProposalDetail: components["schemas"]["Proposal"] & {
            /** @description Live versions of the provider that have no success for this content: `products 1.2 (production)`. */
            affected: string[];
            /** @description When this was true. */
            as_of: string;
            /** @description Whether it asks more of the provider than what the pair agreed on or uses now. */
            breaking: boolean;
            /** @description The changes with their meaning, one per line. */
            changes: string;
            /** @description The discussion, oldest first. */
            comments: components["schemas"]["ProposalComment"][];
            /** @description The pact. */
            content: Record<string, never>;
            /** @description The difference to what the provider accepted before on this line. */
            difference?: string | null;
            /** @description Who did what when, oldest first. */
            history: components["schemas"]["ProposalStep"][];
            /** @description The interactions, in words. */
            interactions: string[];
            /** @description The other contents proposed on the same line, newest first. */
            line: components["schemas"]["LineEntry"][];
            /** @description Where the provider accepts: `broker` (here) or `repository` (by merging the contract file). */
            mode: string;
        };
        /** @description One step of a proposal. */
        ProposalStep: {
            at: string;
            reason?: string | null;
            state: string;
            who?: string | null;
        };
        /** @description Proposals, newest first. */
        Proposals: {
            /** @description When this was true. */
            as_of: string;
            complete: boolean;
            /** @description What was left out. */
            cut?: string | null;
            proposals: components["schemas"]["Proposal"][];
        };
        /** @description Rate, errors and durations of a window. */
        RedAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /** @description Whether everything that was counted is here. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
            /**
             * Format: date-time
             * @description End of the last minute, or now.
             */
            end: string;
            /**
             * Format: int32
             * @description OTLP's scale of the histograms: class `i` holds durations above 2^(i/2^scale) ns, up to 2^((i+1)/2^scale) ns.
             */
            histogram_scale: number;
            /** @description Those with most spans first. */
            rows: components["schemas"]["RedLine"][];
            /**
             * Format: double
             * @description Share of traces that are kept; counts are of all spans, exemplars of the kept ones where the share is 1.
             */
            sample_rate: number;
            /**
             * Format: date-time
             * @description Start of the first minute.
             */
            start: string;
        };
        /** @description An exponential histogram of durations in nanoseconds. */
        RedHistogram: {
            /** @description Pairs of a class and its count. */
            classes: number[][];
            /**
             * Format: int64
             * @description Durations of 0.
             */
            zero_count: number;
        };
        /** @description Counts of one service, operation, version, instance or edge. */
        RedLine: {
            /**
             * Format: int64
             * @description Spans.
             */
            count: number;
            /**
             * Format: int64
             * @description Those that failed.
             */
            error_count: number;
            /**
             * Format: double
             * @description Failed spans of all, 0 to 1.
             */
            error_share: number;
            /** @description Trace of the slowest span that failed. */
            failed_trace_id?: string | null;
            histogram?: components["schemas"]["RedHistogram"] | null;
            /**
             * Format: double
             * @description Mean duration in microseconds.
             */
            mean_us: number;
            /** @description Operation, version, instance or called service; absent by service. */
            name?: string | null;
            /** @description Whether this is the line of everything that there was too much of. */
            other?: boolean;
            /**
             * Format: double
             * @description Duration that half of the spans do not exceed, in microseconds, to within 5 percent.
             */
            p50_us: number;
            /**
             * Format: double
             * @description The same for 90 percent.
             */
            p90_us: number;
            /**
             * Format: double
             * @description The same for 99 percent.
             */
            p99_us: number;
            /**
             * Format: double
             * @description Spans in a second of the window.
             */
            rate_per_s: number;
            /** @description The service; of an edge the calling one. Empty when senders do not say. */
            service: string;
            /** @description Trace of the slowest span. */
            slowest_trace_id?: string | null;
        };
        /** @description Calls to the same callee with the same operation and key. */
        RepeatedCalls: {
            /** @description Who was called. */
            callee?: string | null;
            /** @description `false`: a statement with places whose values no span tells; it may have asked for something else each time. */
            certain: boolean;
            /** @description How often it was called. */
            count: number;
            /** @description What was asked for: address, statement, key; the first 300 characters. */
            key: string;
            /** @description Calls that an earlier one had answered already. */
            needless_count: number;
            /**
             * Format: double
             * @description How long these took together, in microseconds.
             */
            needless_us: number;
            /** @description The operation, as the caller names it. */
            operation: string;
            /** @description The calls by start, as places in `spans`; the first 100. */
            rows: number[];
        };
        /** @description The contract files on a provider's main branch, all of them. */
        RepositoryState: {
            /** @description The commit they were read from. */
            commit?: string | null;
            contracts: components["schemas"]["ContractFile"][];
            /** @description Who reports it. */
            who?: string | null;
        };
        ResultPart: {
            build_url?: string | null;
            consumer: string;
            /** @description A version that has the content which was verified. */
            consumer_version: string;
            created_at?: string | null;
            provider: string;
            provider_version: string;
            success: boolean;
            test_results?: Record<string, never> | null;
            verified_by?: Record<string, never> | null;
        };
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
        /** @description One trace as columns. Row n of every column is the same span; parents come before their children, siblings by start. */
        SkeletonAnswer: {
            /**
             * Format: date-time
             * @description When this was true; late spans may still arrive.
             */
            as_of: string;
            /** @description The columns. */
            columns: components["schemas"]["SkeletonColumns"];
            /** @description Whether every stored span is here. */
            complete: boolean;
            /** @description What the trace waited for, in order of time. */
            critical_path: components["schemas"]["SkeletonPath"];
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description What stands above the waterfall. */
            header: components["schemas"]["TraceHeader"];
            /** @description Words for kinds, by their number in the column; the first is "not said". */
            kinds: string[];
            /** @description Parents that spans name and that are not stored. */
            missing_parents: string[];
            /** @description Names of operations, by their number in the column. */
            names: string[];
            /** @description Calls that were made again although an earlier one had the answer, the most expensive first. */
            repeated_calls: components["schemas"]["RepeatedCalls"][];
            /** @description Number of spans without a parent here; one in a whole trace. */
            roots: number;
            /** @description Names of services, by their number in the column. */
            services: string[];
            /** @description The trace, 16 or 32 hex digits. */
            trace_id: string;
        };
        /** @description What is known of every span. -1 and null stand for unknown. */
        SkeletonColumns: {
            /** @description Call level; a root has 1. */
            depth: number[];
            /** @description Length in microseconds. */
            duration_us: (number | null)[];
            /** @description Rows that failed. */
            errors: number[];
            /** @description Which of `kinds`. */
            kind: number[];
            /** @description Which of `names`; -1 for unknown. */
            name: number[];
            /** @description Row of the parent; -1 for a root. */
            parent: number[];
            /** @description Time in which no child ran, in microseconds. */
            self_time_us: (number | null)[];
            /** @description Which of `services`; -1 for unknown. */
            service: number[];
            /** @description By how much, in microseconds: `skew_us[n]` belongs to row `skewed[n]`. */
            skew_us: number[];
            /** @description Rows whose host's clock is behind. */
            skewed: number[];
            /** @description Ids, 16 hex digits. */
            span_id: string[];
            /** @description Start after the header's start, as it was received, in microseconds. */
            start_offset_us: (number | null)[];
        };
        /** @description Stretches of time in which the trace waited for one span's own work, without a gap between them. */
        SkeletonPath: {
            /**
             * Format: double
             * @description End of the last, in microseconds.
             */
            end_offset_us?: number | null;
            /** @description Whose. */
            row: number[];
            /** @description Its start after the header's, on the callers' clocks, in microseconds. It ends where the next begins. */
            start_offset_us: number[];
        };
        /** @description A snapshot. */
        SnapshotAnswer: {
            /**
             * Format: int64
             * @description Bytes of its files.
             */
            bytes: number;
            /** @description Files that were damaged in the store already, and what is wrong with them; empty for a sound snapshot. */
            damage: string[];
            /** @description Its files. */
            file_count: number;
            /**
             * Format: int64
             * @description Number of the newest log record in it: everything acknowledged until then is there.
             */
            last_lsn: number;
            /**
             * Format: date-time
             * @description When it was made.
             */
            made_at: string;
            /** @description Its name. */
            name: string;
            /** @description Its directory on the server's machine. Its files share their disk space with the store: copy it elsewhere. */
            path: string;
        };
        /** @description The snapshots that are kept. */
        SnapshotsAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /** @description Oldest first. */
            snapshots: components["schemas"]["SnapshotAnswer"][];
        };
        /**
         * @description Where a sample came from.
         * @enum {string}
         */
        Source: "otlp" | "hystrix";
        /** @description Spans in full. */
        SpansAnswer: {
            /**
             * Format: date-time
             * @description When this was true; late fragments may still arrive.
             */
            as_of: string;
            /** @description Whether everything stored of these spans is here. */
            complete: boolean;
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description The spans, in the order of the skeleton; both halves of a shared id. */
            spans: components["schemas"]["TraceSpan"][];
            /** @description The trace, 16 or 32 hex digits. */
            trace_id: string;
        };
        /** @description What the store holds. */
        StoreAnswer: {
            /**
             * Format: date-time
             * @description When this was true.
             */
            as_of: string;
            /** @description What cannot be read: what, and where. */
            damage: string[];
            /** @description Sealed blocks of spans by UTC day. */
            days: {
                [key: string]: components["schemas"]["BlocksAnswer"];
            };
            /**
             * Format: int64
             * @description Bytes of the log.
             */
            log_bytes: number;
            /**
             * Format: int64
             * @description Files of the log.
             */
            log_segments: number;
            /**
             * Format: int64
             * @description Bytes of blocks that may hold rows of them.
             */
            pending_bytes: number;
            /**
             * Format: date-time
             * @description When the oldest of them was deleted.
             */
            pending_since?: string | null;
            /**
             * Format: int64
             * @description Deleted traces whose rows are hidden and not off the disk yet.
             */
            pending_traces: number;
            /** @description Sealed blocks by kind: `spans`, `series`, `events`, `tombstones`. */
            tables: {
                [key: string]: components["schemas"]["BlocksAnswer"];
            };
            /**
             * Format: int64
             * @description Span rows in memory and in the log, not in a block yet.
             */
            unsealed_rows: number;
        };
        /** @description What a report of a repository changed. */
        SyncAnswer: {
            accepted: components["schemas"]["SyncedProposal"][];
            as_of: string;
            retired: components["schemas"]["SyncedProposal"][];
            /** @description Their file is gone, but a live consumer version needs them, so they stay. */
            still_needed: components["schemas"]["SyncedProposal"][];
            unchanged: components["schemas"]["SyncedProposal"][];
        };
        /** @description A proposal that a report touched. */
        SyncedProposal: {
            /** @description The consumer; for `still_needed` the live versions that need it. */
            consumer: string;
            id: string;
        };
        /** @description A token that was made. */
        TokenMade: {
            expires_at?: string | null;
            id: string;
            /** @description The token. It is shown this once. */
            token: string;
        };
        /** @description A token, without what makes it one. */
        TokenShown: {
            created_at: string;
            expires_at?: string | null;
            id: string;
            /** @description What it is for. */
            name: string;
        };
        /** @description A token as it is to be. */
        TokenWanted: {
            /**
             * Format: int32
             * @description Days until it ends; without, it does not.
             */
            expires_in_days?: number | null;
            /** @description What it is for. */
            name: string;
        };
        /** @description A topic as one group reads it. */
        TopicView: {
            /**
             * Format: int64
             * @description Sum over the partitions whose lag is known; absent when none is.
             */
            lag_messages?: number | null;
            /**
             * Format: double
             * @description The oldest partition's.
             */
            lag_seconds?: number | null;
            /**
             * Format: int64
             * @description Sum over the partitions.
             */
            lost_messages: number;
            /** @description Partitions, by number. */
            partitions: components["schemas"]["PartitionView"][];
            /** @description Topic name. */
            topic: string;
            /**
             * Format: int32
             * @description Partition with the most lag, when any lags.
             */
            worst_partition?: number | null;
        };
        /** @description One trace. */
        TraceAnswer: {
            /**
             * Format: date-time
             * @description When this was true; late spans may still arrive.
             */
            as_of: string;
            /** @description Whether every stored span is here. */
            complete: boolean;
            /** @description What the trace waited for, from its first root's start to its end without a gap, on the callers' clocks. */
            critical_path: components["schemas"]["CriticalSegment"][];
            /** @description What is missing, when not. */
            cut?: string | null;
            /** @description What stands above the waterfall. */
            header: components["schemas"]["TraceHeader"];
            /** @description Parents that spans name and that are not stored. */
            missing_parents: string[];
            /** @description Calls that were made again although an earlier one had the answer, the most expensive first. */
            repeated_calls: components["schemas"]["RepeatedCalls"][];
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
             * @description From the first start to the last end, hosts whose clocks are behind moved, in microseconds.
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
            /**
             * Format: double
             * @description Time in which the trace waited for its own work: its part of the critical path, in microseconds. Absent when it
             *     has none.
             */
            critical_us?: number | null;
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
            /**
             * Format: double
             * @description Time in which none of its children ran, in microseconds.
             */
            self_time_us?: number | null;
            /** @description Service that made the span. */
            service?: string | null;
            /** @description Whether it is the server's half of a span id shared with the client. */
            shared: boolean;
            /**
             * Format: double
             * @description How far the clock of its host is behind, by Zipkin's rule: add it to every offset here to be on the caller's
             *     clock. Microseconds; absent when nothing is wrong.
             */
            skew_us?: number | null;
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
            /** @description The trace it belongs to, where that is another one: the producer's, to which a consumer here is linked. */
            trace_id?: string | null;
            /** @description `service.version`. */
            version?: string | null;
        };
        /** @description A trace in one line. */
        TraceSummary: {
            /**
             * Format: double
             * @description From the first start to the last end, hosts whose clocks are behind moved, in microseconds.
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
            /** @description What to give as `cursor` for the traces after these; absent when there are none. */
            next?: string | null;
            /** @description The traces, in the order asked for. */
            traces: components["schemas"]["TraceSummary"][];
        };
        /** @description A transition in an answer. */
        TransitionView: {
            /**
             * Format: date-time
             * @description When it was seen.
             */
            at: string;
            /** @description Why. */
            cause: string;
            /** @description State before. */
            from: components["schemas"]["BreakerState"];
            /** @description State after. */
            to: components["schemas"]["BreakerState"];
        };
        /** @description A waiver that an answer rests on. */
        UsedWaiver: {
            /** @description The second person. */
            approved_by?: string | null;
            /** @description Who gave it. */
            by: string;
            expires_at: string;
            id: string;
            name: string;
            reason: string;
        };
        /** @description A user as it is to be. */
        UserChange: {
            /**
             * @description All the user may do: `admin`, `publish:CONSUMER`, `verify:PROVIDER`, `deploy:ENVIRONMENT`, `team:TEAM`. A name may
             *     end with `*`. Without it the rights stay as they are. Everybody who is known may read.
             */
            grants?: string[] | null;
            /** @description At least 12 characters. Without one the password stays as it is; a user without any has tokens only. */
            password?: string | null;
        };
        /** @description A user. */
        UserShown: {
            created_at: string;
            grants: string[];
            has_password: boolean;
            name: string;
            tokens: components["schemas"]["TokenShown"][];
        };
        /** @description Users by name. */
        Users: {
            /** @description When this was true. */
            as_of: string;
            complete: boolean;
            users: components["schemas"]["UserShown"][];
        };
        Value: unknown;
        /**
         * @description How a group does with a partition, worst last.
         * @enum {string}
         */
        Verdict: "ok" | "unknown" | "warn" | "stall" | "stop" | "rewind";
        /** @description A provider's version that has to verify a consumer's contract. */
        VerificationRequest: {
            consumer: string;
            /** @description Absent for an accepted contract that no version carries yet. */
            consumer_version?: string | null;
            provider: string;
            provider_version: string;
            /** @description How many webhooks for `contract_requiring_verification_published` were fired; 0: nobody was told. */
            webhooks: number;
        };
        /** @description What was asked for. */
        VerificationRequests: {
            as_of: string;
            /** @description Every pair without a result that the answer about the deploy rests on. */
            requests: components["schemas"]["VerificationRequest"][];
        };
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
        VersionPart: {
            branches?: string[];
            build_url?: string | null;
            created_at?: string | null;
            pacticipant: string;
            tags?: string[];
            version: string;
        };
        /** @description The deploy that waits. */
        WaitingDeploy: {
            /** @description Where to. */
            environment: string;
            /** @description What would be deployed. */
            pacticipant: string;
            /** @description Its version. */
            version: string;
        };
        /** @description Who does it, and why. */
        WaiverAction: {
            by: string;
            reason?: string | null;
        };
        /** @description A waiver with everything that was done with it. */
        WaiverDetail: components["schemas"]["WaiverInfo"] & {
            /** @description When this was true. */
            as_of: string;
            /** @description Who did what when: created, approved, used, revoked. The newest 200. */
            history: components["schemas"]["WaiverStepInfo"][];
        };
        /** @description A breakage that somebody lets pass for a while. */
        WaiverInfo: {
            approved_at?: string | null;
            /** @description The second person. */
            approved_by?: string | null;
            /** @description Who gave it. */
            by: string;
            /** @description Whose contracts; absent: everyone's. */
            consumer?: string | null;
            consumer_version?: string | null;
            created_at: string;
            environment: string;
            expires_at: string;
            id: string;
            name: string;
            /** @description With which provider; absent: with every. */
            provider?: string | null;
            provider_version?: string | null;
            reason: string;
            revoked_at?: string | null;
            revoked_by?: string | null;
            /** @description `standing`, `waits_for_approval`, `expired` or `revoked`. */
            state: string;
        };
        /** @description One line of a waiver's history. */
        WaiverStepInfo: {
            action: string;
            at: string;
            detail?: string | null;
            who?: string | null;
        };
        /** @description Waivers, newest first. */
        Waivers: {
            /** @description When this was true. */
            as_of: string;
            complete: boolean;
            /** @description What was left out. */
            cut?: string | null;
            waivers: components["schemas"]["WaiverInfo"][];
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
    get_breakers: {
        parameters: {
            query?: {
                /** @description Only breakers of this service, any case */
                service?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The breakers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BreakersAnswer"];
                };
            };
        };
    };
    audit_log: {
        parameters: {
            query?: {
                /** @description Only what this user changed */
                who?: string;
                /** @description Only entries with a smaller id */
                before?: number;
                /** @description At most this many, 100 unless said otherwise, 1000 at most */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditLog"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_users: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Users"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserChange"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserShown"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserShown"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenWanted"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenMade"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_bulkheads: {
        parameters: {
            query?: {
                /** @description Only those of this service, any case */
                service?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bulkheads */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkheadsAnswer"];
                };
            };
        };
    };
    backup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A SQLite database file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.sqlite3": number[];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The tables are in PostgreSQL */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another backup is running */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    can_i_deploy: {
        parameters: {
            query: {
                /** @description What would be deployed */
                pacticipant: string;
                /** @description Its version */
                version: string;
                /** @description Where to */
                environment: string;
                /** @description Pacticipants that must not count, `NAME` or `NAME:VERSION` */
                "ignore[]"?: string[];
                /** @description Answer only once the answer is known, or after so many seconds (60 at most): the server looks again when something changes */
                wait_s?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GateAnswer"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    check: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CheckQuestion"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckAnswer"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    clean: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CleanRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CleanAnswer"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    decisions: {
        parameters: {
            query?: {
                /** @description At most this many, 100 unless said otherwise, 1000 at most */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Decisions"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    import: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImportRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportAnswer"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    matrix: {
        parameters: {
            query: {
                /** @description One side */
                pacticipant: string;
                /** @description The other side; without it, everyone with results */
                other?: string;
                /** @description One version of the first; without it, the latest */
                version?: string;
                /** @description Beside what is in an environment */
                environment?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GateAnswer"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    overview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContractsOverview"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ask: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WaitingDeploy"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerificationRequests"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    holder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name */
                environment: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeaseHolder"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    acquire: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name */
                environment: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LeaseWish"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Lease"];
                };
            };
            /** @description Somebody else deploys there */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rules: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name */
                environment: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GateRules"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_rules: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name */
                environment: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GateRules"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GateRules"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
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
    get_lag: {
        parameters: {
            query?: {
                /** @description Only this group */
                group?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The groups */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LagAnswer"];
                };
            };
        };
    };
    renew: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The lease's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LeaseRenewal"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Lease"];
                };
            };
            /** @description It is lost */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    release: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The lease's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    record: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The lease's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LeasedDeployment"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Lease"];
                };
            };
            /** @description It is lost */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_messages: {
        parameters: {
            query?: {
                /** @description Only this flow */
                flow?: string;
                /** @description Only messages with this verdict; may be repeated */
                verdict?: components["schemas"]["MessageVerdict"][];
                /** @description Most messages in the answer, at most 10000; 200 unless given */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Flows and messages */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessagesAnswer"];
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
    get_names: {
        parameters: {
            query?: {
                /** @description Whose operations or remote services, any case */
                service?: string;
                /** @description Whose values */
                key?: string;
                /** @description Only names that begin with it, any case */
                prefix?: string;
                /** @description Most names; 1000 unless given */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description `services`, `operations` (of a service), `remote_services` (seen by a service), `tags` (keys), `tag_values` (of a key) */
                kind: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The names, sorted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NamesAnswer"];
                };
            };
            /** @description A parameter is missing, unknown or out of bounds */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
            /** @description Searching is off here */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
            /** @description There are no names of this kind */
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
    list: {
        parameters: {
            query?: {
                /** @description Only of this provider */
                provider?: string;
                /** @description Only of this consumer */
                consumer?: string;
                /** @description Only in this state */
                state?: string;
                /** @description At most this many, 100 unless said otherwise, 1000 at most */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Proposals"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    propose: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewProposal"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposalDetail"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposalDetail"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The proposal's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposalDetail"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    accept: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The proposal's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProposalAnswer"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposalDetail"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    comment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The proposal's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewComment"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposalDetail"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The proposal's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProposalAnswer"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposalDetail"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The proposal's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProposalAnswer"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposalDetail"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    withdraw: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The proposal's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProposalAnswer"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProposalDetail"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    mode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The provider */
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Acceptance"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_mode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The provider */
                provider: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Acceptance"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Acceptance"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sync: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The provider */
                provider: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RepositoryState"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncAnswer"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_red: {
        parameters: {
            query?: {
                /** @description `service` (unless given), `operation`, `version`, `instance` or `edge` */
                by?: string;
                /** @description Only this service, any case; of edges those from it and to it */
                service?: string;
                /** @description From, RFC 3339 or Unix milliseconds; the minute that it lies in. 15 minutes before the end unless given */
                start?: string;
                /** @description To; now unless given */
                end?: string;
                /** @description Most lines, up to 2000; 100 unless given */
                limit?: number;
                /** @description Whether the histograms are wanted as well */
                histogram?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Lines, those with most spans first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RedAnswer"];
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
    get_snapshots: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The snapshots, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapshotsAnswer"];
                };
            };
        };
    };
    post_snapshot: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The snapshot */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapshotAnswer"];
                };
            };
            /** @description Needs a token with the admin scope */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
            /** @description There are as many as are kept: remove one first */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
            /** @description The store is read-only or the disk is full */
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
    delete_snapshot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such snapshot */
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
    get_store: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Counts of the store */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoreAnswer"];
                };
            };
        };
    };
    get_traces: {
        parameters: {
            query?: {
                /** @description A service of the trace, any case */
                service?: string;
                /** @description The other side of a span, any case */
                remote_service?: string;
                /** @description Operation name of a span, any case */
                name?: string;
                /** @description `key=value` that a span carries, or a key that must exist; may be repeated */
                tag?: string[];
                /** @description `true`: a span failed */
                errors?: boolean;
                /** @description On which spans the conditions must hold: `service` (those of the service, possibly different ones; unless given), `span` (one and the same), `trace` (any) */
                scope?: string;
                /** @description A span took at least this long */
                min_duration_us?: number;
                /** @description The same span took at most this long */
                max_duration_us?: number;
                /** @description The trace took at least this long, from its first start to its last end */
                min_trace_duration_us?: number;
                /** @description The trace took at most this long */
                max_trace_duration_us?: number;
                /** @description Traces that began at or after; an hour before `end` unless given */
                start?: string;
                /** @description Traces that began at or before; now unless given */
                end?: string;
                /** @description `newest` (unless given), `longest`, `most_spans`, `most_errors` */
                sort?: string;
                /** @description Most traces in the answer; 20 unless given */
                limit?: number;
                /** @description `next` of the page before, with the same conditions and sort; its window holds */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The first traces in that order */
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
            /** @description Searching is off here */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    get_compare: {
        parameters: {
            query: {
                /** @description `errors`: traces with a span that failed; `slow`: the long ones */
                select: string;
                /** @description With `slow`: from which length on; the slowest twentieth unless given */
                slower_than_us?: number;
                /** @description As in the search, like all conditions: they say what both sides are taken from */
                service?: string;
                /** @description As in the search */
                remote_service?: string;
                /** @description As in the search */
                name?: string;
                /** @description As in the search */
                tag?: string[];
                /** @description As in the search */
                errors?: boolean;
                /** @description As in the search */
                scope?: string;
                /** @description As in the search */
                min_duration_us?: number;
                /** @description As in the search */
                max_duration_us?: number;
                /** @description As in the search */
                min_trace_duration_us?: number;
                /** @description As in the search */
                max_trace_duration_us?: number;
                /** @description As in the search */
                start?: string;
                /** @description As in the search */
                end?: string;
                /** @description Most differences, 1 to 1000; 50 unless given */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Attributes by how much their share differs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CompareAnswer"];
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
            /** @description Searching is off here */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
        };
    };
    delete_matching: {
        parameters: {
            query?: {
                /** @description A service of the trace, any case */
                service?: string;
                /** @description A service that a span called or was called by, any case */
                remote_service?: string;
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
                /** @description As in a search: `service`, `span` or `trace` */
                scope?: string;
                /** @description Traces that began at or after; an hour before `end` unless given */
                start?: string;
                /** @description Traces that began at or before; now unless given */
                end?: string;
                /** @description Most traces deleted by this request; 1,000 unless given */
                limit?: number;
                /** @description `true`: only say which traces would go */
                dry_run?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description These traces are gone from every answer */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedAnswer"];
                };
            };
            /** @description A parameter is unknown, malformed or out of bounds, or nothing limits the deletion */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
            /** @description Needs a token with the admin scope */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
            /** @description Too many deletions are pending; try again after compaction */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
            /** @description The store is read-only */
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
    get_histogram: {
        parameters: {
            query?: {
                /** @description As in the search, like all conditions */
                service?: string;
                /** @description As in the search */
                remote_service?: string;
                /** @description As in the search */
                name?: string;
                /** @description As in the search */
                tag?: string[];
                /** @description As in the search */
                errors?: boolean;
                /** @description As in the search */
                scope?: string;
                /** @description As in the search */
                min_duration_us?: number;
                /** @description As in the search */
                max_duration_us?: number;
                /** @description As in the search */
                min_trace_duration_us?: number;
                /** @description As in the search */
                max_trace_duration_us?: number;
                /** @description As in the search */
                start?: string;
                /** @description As in the search */
                end?: string;
                /** @description Steps the window is cut into, 1 to 500; 60 unless given */
                steps?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Counts by step and class of duration */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HistogramAnswer"];
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
            /** @description Searching is off here */
            403: {
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
    delete_trace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description 1 to 32 lower-case hex digits */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The trace is gone from every answer */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedAnswer"];
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
            /** @description Needs a token with the admin scope */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
            /** @description No such trace */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
            /** @description Too many deletions are pending; try again after compaction */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": unknown;
                };
            };
            /** @description The store is read-only */
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
    get_skeleton: {
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
            /** @description The trace as columns */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SkeletonAnswer"];
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
    get_spans: {
        parameters: {
            query: {
                /** @description 1 to 16 hex digits; may be given 90 times */
                span_id: string[];
            };
            header?: never;
            path: {
                /** @description 1 to 32 hex digits; short ids are padded */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The spans in full */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SpansAnswer"];
                };
            };
            /** @description Not an id, or too many */
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
    list_waivers: {
        parameters: {
            query?: {
                /** @description Only for this environment */
                environment?: string;
                /** @description At most this many, 100 unless said otherwise, 1000 at most */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Waivers"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    waive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewWaiverBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaiverDetail"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_waiver: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The waiver's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaiverDetail"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The waiver's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WaiverAction"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaiverDetail"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The waiver's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WaiverAction"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaiverDetail"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
