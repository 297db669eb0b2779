// Tables that sort by any column and show the rows of the page's filters.
//
// A name that stands for several rows is written out in each of them as soon
// as a table is sorted; in the table's own order equal names are one cell.
class Grid {
  constructor(table) {
    this.table = table;
    this.body = table.tBodies[0];
    this.heads = [...table.tHead.rows[0].cells];
    this.titles = this.heads.map(h => h.textContent);
    this.column = -1; // sorted by it; -1: the table's own order
    this.down = false;
    this.heads.forEach((head, i) => this.addButton(head, i));
  }

  addButton(head, i) {
    const button = make("button", undefined, "sort");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => {
      // Up, down, the table's own order.
      if (this.column !== i) [this.column, this.down] = [i, false];
      else if (!this.down) this.down = true;
      else this.column = -1;
      this.show();
    });
    head.append(button);
  }

  // rows are read when they are first needed: cells for each column, clones
  // where a cell above stands for the row.
  rows() {
    if (this.all) return this.all;
    const above = [];
    this.all = [...this.body.rows].map((element, at) => {
      const own = [...element.cells];
      const cells = this.titles.map((_, c) => {
        if (above[c] && above[c].left > 0) {
          above[c].left--;
          return above[c].cell.cloneNode(true);
        }
        const cell = own.shift();
        above[c] = {cell, left: cell.rowSpan - 1};
        return cell;
      });
      return {element, at, cells, texts: cells.map(cell => cell.textContent)};
    });
    this.keys = this.all.length ? this.all[0].cells.filter(cell => cell.tagName === "TH").length : 0;
    return this.all;
  }

  // matches reports whether a row stays under the page's filters: the columns
  // that have the name of a filter hold its choice; of a comparison, one side.
  matches(row) {
    const sides = [];
    for (let c = 0; c < this.keys; c++) {
      const title = this.titles[c], want = choices.get(title === "A" || title === "B" ? "feature" : title);
      if (!want) continue;
      if (title === "A" || title === "B") sides.push(row.texts[c] === want || row.texts[c].startsWith(want + " · "));
      else if (["feature", "method", "k", "run"].includes(title) && row.texts[c] !== want) return false;
    }
    return !sides.length || sides.includes(true);
  }

  compare(a, b) {
    const c = this.column, x = Grid.number(a.texts[c]), y = Grid.number(b.texts[c]);
    let order = 0;
    if (c < this.keys && (Number.isNaN(x) || Number.isNaN(y))) order = Grid.names.compare(a.texts[c], b.texts[c]);
    else if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a.at - b.at; // no figure: last, either way
    else if (x !== y) order = x < y ? -1 : 1;
    return (this.down ? -order : order) || a.at - b.at;
  }

  // number reads what tables print: "∞", "−3.1", "< 0.001", "12/20".
  static number(text) {
    text = text.replace("∞", "Infinity").replace("−", "-").replace(/^[<>]\s*/, "");
    return parseFloat(text);
  }

  show() {
    const rows = this.rows().filter(row => this.matches(row));
    const sorted = this.column >= 0;
    if (sorted) rows.sort((a, b) => this.compare(a, b));
    this.heads.forEach((head, i) => {
      if (i !== this.column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", this.down ? "descending" : "ascending");
    });
    let above = null;
    const heads = []; // by column, the cell that equal names below it join
    for (const row of rows) {
      let same = above !== null && !sorted;
      row.element.replaceChildren(...row.cells.filter((cell, c) => {
        same = same && c < this.keys && row.texts[c] === above.texts[c];
        if (same) heads[c].rowSpan++;
        else {
          heads[c] = cell;
          cell.removeAttribute("rowspan");
        }
        return !same;
      }));
      above = row;
    }
    this.body.replaceChildren(...rows.map(row => row.element));
    this.hideOtherKs();
    this.table.closest(".block").querySelector(".none").hidden = rows.length > 0;
  }

  // hideOtherKs leaves of the columns "k=5" the chosen one.
  hideOtherKs() {
    const k = choices.get("k");
    this.titles.forEach((title, c) => {
      if (!title.startsWith("k=")) return;
      const hide = k !== "" && title !== "k=" + k;
      this.heads[c].hidden = hide;
      for (const row of this.all) row.cells[c].hidden = hide;
    });
  }

  // filter shows the rows of the filters; a table that was never touched stays
  // as it was written.
  filter() {
    const filtered = ["feature", "method", "k", "run"].some(key => choices.get(key));
    if (filtered || this.all) this.show();
  }
}
Grid.names = new Intl.Collator("en", {numeric: true});

for (const table of document.querySelectorAll(".block table")) {
  const grid = new Grid(table);
  choices.listeners.push(() => grid.filter());
}
