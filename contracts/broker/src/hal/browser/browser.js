// Shows the resource that stands behind # in the address. Everything that comes from the broker is put in as text.
const root = new URL("..", location.href);
const at = (id) => document.getElementById(id);

/** A link of ours as a path below the broker's root; undefined for anything else. */
function pathOf(href) {
  let url;
  try {
    url = new URL(href, root);
  } catch {
    return undefined;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  const prefix = root.pathname.replace(/\/$/, "");
  const path = url.pathname + url.search;
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
}

function text(tag, content, className) {
  const element = document.createElement(tag);
  element.textContent = content;
  if (className) element.className = className;
  return element;
}

function anchor(href, label) {
  const link = text("a", label);
  link.href = `#${href}`;
  return link;
}

/** A form with one field for each {variable} of a template. */
function template(href, label) {
  const form = document.createElement("form");
  form.append(text("span", label));
  const names = [...new Set([...href.matchAll(/\{([^}]+)\}/g)].map((found) => found[1]))];
  for (const name of names) {
    const field = document.createElement("input");
    field.name = name;
    field.placeholder = name;
    field.setAttribute("aria-label", name);
    form.append(field);
  }
  form.append(text("button", "Follow"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = new FormData(form);
    const filled = href.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(values.get(name) ?? ""));
    location.hash = pathOf(filled) ?? "/";
  });
  return form;
}

function showLinks(links) {
  const list = at("links");
  list.replaceChildren();
  for (const [relation, value] of Object.entries(links ?? {})) {
    for (const link of Array.isArray(value) ? value : [value]) {
      const path = typeof link?.href === "string" ? pathOf(link.href) : undefined;
      if (path === undefined) continue;
      const item = document.createElement("li");
      item.append(text("span", relation, "relation"), " ");
      const label = link.name ?? link.title ?? path;
      item.append(/[{]/.test(link.href) ? template(link.href, label) : anchor(path, label));
      list.append(item);
    }
  }
}

async function show() {
  const path = decodeURI(location.hash.slice(1)) || "/";
  at("path").value = path;
  at("status").textContent = "…";
  try {
    const address = new URL(root.pathname.replace(/\/$/, "") + encodeURI(path).replaceAll("%25", "%"), root);
    if (address.origin !== root.origin) throw new Error("not an address of this broker");
    const answer = await fetch(address, { headers: { accept: "application/hal+json, application/json, */*;q=0.1" } });
    const received = await answer.text();
    at("status").textContent = `${answer.status} ${answer.statusText} ${answer.headers.get("content-type") ?? ""}`;
    let body;
    try {
      body = JSON.parse(received);
    } catch {
      body = undefined;
    }
    showLinks(body?._links);
    at("body").textContent = body === undefined ? received : JSON.stringify(body, null, 2);
  } catch (error) {
    at("status").textContent = String(error);
    showLinks({});
    at("body").textContent = "";
  }
}

at("go").addEventListener("submit", (event) => {
  event.preventDefault();
  location.hash = at("path").value;
});
addEventListener("hashchange", show);
show();
