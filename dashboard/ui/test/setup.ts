import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/preact";
import { afterEach, beforeEach } from "vitest";

// A busy machine is no failed test.
configure({ asyncUtilTimeout: 8000 });

// As in index.html: the page knows its base address from there.
beforeEach(() => {
  document.head.innerHTML = '<base href="/">';
});

afterEach(() => {
  cleanup();
  window.history.replaceState(null, "", "/");
});
