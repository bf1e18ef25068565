// Generated from docs/openapi.json by `npm run types`. Do not edit.

export interface paths {
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
}
