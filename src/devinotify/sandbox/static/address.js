// What is shown, as the address says it: the view, what is open in it, and the filters. It can be shared and gone back to.

/** Return the view, what is open and the filters that the address names. */
export function read() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [, view = "", open = ""] = path.split("/");
  return { view, open, filters: Object.fromEntries(new URLSearchParams(query)) };
}

/** Return the address of a view, of what is open in it, and of filters; empty ones are left out. */
export function written(view, open = "", filters = {}) {
  const given = Object.entries(filters).filter(([, value]) => value);
  const query = new URLSearchParams(given).toString();
  return `#/${view}${open ? `/${open}` : ""}${query ? `?${query}` : ""}`;
}
