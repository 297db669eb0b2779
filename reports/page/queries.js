// unpack reads the error of a query from those of a line, as pack.go wrote them;
// null: there is none.
const unpack = (text, q) => {
  const code = [0, 1, 2].reduce((c, i) => 64 * c + unpack.letters.indexOf(text[3 * q + i]), 0);
  return code === 0 ? null : code === 1 ? 0 : Number((10 ** ((code - 2) * 14 / (2 ** 18 - 3) - 7)).toPrecision(4));
};
unpack.letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Shows the rows of single queries from the JSON that stands beside each list.
for (const box of document.querySelectorAll(".queries")) {
  const data = JSON.parse(document.getElementById(box.dataset.for).textContent);
  const form = box.querySelector("form"), list = box.querySelector(".list"), more = box.querySelector(".more"), count = box.querySelector(".count");
  const page = 100;
  const lines = new Map(data.lines.map(l => [[l.r, l.f, l.m, l.k].join(), l]));
  const open = new Set(); // queries whose view is
  const own = key => box.dataset.for + "." + key; // of the list, among the choices
  let found = [], shown = 0, shownOnce = false;

  const chosen = () => lines.get([data.runs.indexOf(form.run.value), data.features.indexOf(form.feature.value), data.methods.indexOf(form.method.value), form.k.value].join());
  const number = (v, digits) => v === null || v === undefined ? "" : v.toFixed(digits);
  // The finest threshold that an error is within; below 0: none.
  const finest = (l, q) => "-fslo".includes(l.s[q]) ? -1 : l.s.charCodeAt(q) - 48;
  const inSplit = (own, split) => !split || split === "all" || own === split || (data.groups[split] || []).includes(own);
  // Why a query failed; "": it did not, or that is not known.
  const why = (l, q) => l && l.x && l.x[q] !== "-" ? data.causes[l.x.charCodeAt(q) - 48] : "";
  // Whether a query has the status that is asked for.
  const hasStatus = (l, q, status) => {
    const letter = l ? l.s[q] : "-";
    if (!status) return true;
    if (status === "failed" || status === "skipped") return letter === status[0];
    if (status === "localized") return !"-fs".includes(letter);
    if (status === "outside") return letter === "o";
    if (status.startsWith("why: ")) return why(l, q) === status.slice(5);
    const i = l ? finest(l, q) : -1;
    return i >= 0 && i <= data.names.indexOf(status);
  };
  const verdict = (l, q) => {
    const [text, className] = {"-": ["no row", ""], f: ["failed", "bad"], s: ["skipped", "bad"], l: ["localized", ""], o: ["outside", "bad"]}[l ? l.s[q] : "-"] || [];
    return text ? [text, className] : [data.names[finest(l, q)], "good"];
  };

  const detail = q => {
    const out = make("div", undefined, "detail"), l = chosen();
    const hits = l && data.retrieved.find(x => x.r === l.r && x.f === l.f);
    out.append(new QueryView(data, q, l, hits ? hits.n[q].map((image, i) => ({image, score: hits.s[q][i]})) : []).box);
    data.runs.forEach((run, r) => data.features.forEach((feature, f) => {
      const mine = data.lines.filter(l => l.r === r && l.f === f && l.s[q] !== "-");
      if (mine.length) out.append(make("h4", data.runs.length > 1 ? feature + " · " + run : feature), table(mine, q), ...reasons(mine, q), ...retrieved(r, f, q));
    }));
    return out;
  };

  // Rows are methods, columns are k.
  const table = (mine, q) => {
    const ks = [...new Set(mine.map(l => l.k))].sort((a, b) => a - b);
    const t = make("table"), head = t.createTHead().insertRow(), body = t.createTBody();
    for (const title of ["method", ...ks.map(k => "k=" + k)]) {
      const th = make("th", title);
      th.scope = "col";
      head.append(th);
    }
    for (const m of new Set(mine.map(l => l.m))) {
      const row = body.insertRow(), th = make("th", data.methods[m]);
      th.scope = "row";
      row.append(th);
      for (const k of ks) row.append(cell(mine.find(l => l.m === m && l.k === k), q));
    }
    const scroll = make("div", undefined, "scroll");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", "Results by method and k");
    scroll.append(t);
    return scroll;
  };

  const cell = (l, q) => {
    const [text, className] = verdict(l, q), td = make("td", undefined, className);
    if (!l) return td;
    const t = unpack(l.t, q), d = unpack(l.d, q);
    if (t !== null && d !== null) td.append(number(t, 3) + " m", make("br"), number(d, 2) + "°", make("br"));
    td.append(text);
    if (why(l, q) && why(l, q) !== text) td.append(make("br"), why(l, q));
    if (l.i && l.i[q] >= 0) td.append(make("br"), l.i[q] + (l.c[q] >= 0 ? "/" + l.c[q] : "") + " inliers");
    return td;
  };

  const reasons = (mine, q) => {
    const said = mine.filter(l => l.w && q in l.w);
    if (!said.length) return [];
    const ul = make("ul", undefined, "note");
    for (const l of said) ul.append(make("li", data.methods[l.m] + ", k=" + l.k + ": " + data.reasons[l.w[q]]));
    return [ul];
  };

  const retrieved = (r, f, q) => {
    const hits = data.retrieved.find(x => x.r === r && x.f === f);
    if (!hits || !hits.n[q].length) return [make("p", "No retrieved images on record.", "note")];
    const ol = make("ol", undefined, "retrieved");
    hits.n[q].forEach((image, i) => {
      const li = make("li", data.images[image]);
      li.append(make("span", number(hits.s[q][i], 4)));
      ol.append(li);
    });
    return [make("p", "Retrieved images with their scores, best first" + (data.cut ? "; the first " + hits.n[q].length + ", the pairs file has all" : "") + ":", "note"), ol];
  };

  const item = q => {
    const l = chosen(), [text, className] = verdict(l, q), t = l ? unpack(l.t, q) : null, e = l ? unpack(l.d, q) : null;
    const li = make("li"), d = make("details"), s = make("summary");
    s.append(make("span", data.queries[q].n, "name"), make("span", data.queries[q].s, "split"),
      make("span", t === null ? "" : number(t, 3) + " m", "n"), make("span", e === null ? "" : number(e, 2) + "°", "n"), make("span", text, className));
    d.append(s);
    d.addEventListener("toggle", () => {
      if (d.open && d.children.length === 1) d.append(detail(q));
      if (d.open === open.has(q)) return;
      if (d.open) open.add(q);
      else open.delete(q);
      choices.set(own("open"), [...open].map(i => data.queries[i].n)[open.size - 1]);
      choices.write();
    });
    d.open = open.has(q);
    li.append(d);
    return li;
  };

  const grow = () => {
    const next = found.slice(shown, shown + page);
    list.append(...next.map(item));
    shown += next.length;
    more.hidden = shown >= found.length;
    count.textContent = found.length + " of " + data.queries.length + " queries" + (shown < found.length ? ", the first " + shown + " shown" : "");
  };

  const update = () => {
    const l = chosen(), text = form.find.value.toLowerCase(), by = form.sort.value, split = choices.get("split");
    found = [];
    data.queries.forEach((query, q) => {
      if (text && !(query.n + " " + query.s).toLowerCase().includes(text)) return;
      if (inSplit(query.s, split) && hasStatus(l, q, form.status.value)) found.push(q);
    });
    if (by && l) {
      const far = new Map(found.map(q => [q, unpack(l[by], q) ?? Number.MAX_VALUE])); // no error known: first
      found.sort((a, b) => far.get(b) - far.get(a) || a - b);
    } else {
      found.sort((a, b) => data.queries[a].n < data.queries[b].n ? -1 : 1);
    }
    list.replaceChildren();
    shown = 0;
    grow();
  };

  // The list begins at a line that there is, the largest k up to ten. A choice
  // for the whole page goes before the list's own, whose control is then hidden.
  const first = data.lines.filter(l => l.k <= 10).sort((a, b) => a.r - b.r || a.f - b.f || a.m - b.m || b.k - a.k)[0] || data.lines[0];
  const usual = first ? {run: data.runs[first.r], feature: data.features[first.f], method: data.methods[first.m], k: String(first.k)} : {};
  const settle = () => {
    for (const control of form.elements) {
      const key = control.name, page = usual[key] ? choices.get(key) : "";
      if (!key) continue;
      const offered = v => control.tagName === "INPUT" || [...control.options].some(o => o.value === v);
      const forced = page !== "" && offered(page);
      control.value = forced ? page : choices.get(own(key)) && offered(choices.get(own(key))) ? choices.get(own(key)) : usual[key] || "";
      control.closest("label").hidden = forced || control.dataset.single === "true";
    }
    update();
  };
  for (const control of form.elements) {
    control.dataset.single = control.closest("label").hidden;
    control.addEventListener("input", () => {
      choices.set(own(control.name), control.value === (usual[control.name] || "") ? "" : control.value);
      choices.write();
      update();
    });
  }
  form.addEventListener("submit", e => e.preventDefault());
  more.addEventListener("click", grow);
  // A query that the address names is open; what was open stays so.
  choices.listeners.push(() => {
    const q = data.queries.findIndex(query => query.n === choices.get(own("open")));
    if (q >= 0) open.add(q);
    settle();
    if (!shownOnce && found.includes(q)) {
      while (shown <= found.indexOf(q)) grow();
      list.children[found.indexOf(q)].scrollIntoView();
    }
    shownOnce = true;
  });
  box.hidden = false;
}
