import preact from "@preact/preset-vite";
import { defineConfig } from "vitest/config";

const tracepact = process.env.TRACEPACT_URL ?? "http://127.0.0.1:9411";

export default defineConfig({
  // Relative addresses: the server sets <base>, so one build serves under every path prefix.
  base: "./",
  plugins: [preact()],
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    sourcemap: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: {
    port: 5173,
    proxy: { "/tracepact": tracepact, "/health": tracepact },
  },
  test: {
    environment: "jsdom",
    globals: true,
    testTimeout: 30_000,
    setupFiles: ["test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
  },
});
