import { render } from "preact";
import { App } from "./app";
import { show, theme } from "./theme";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/trace.css";

show(theme());
const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(<App />, root);
}
