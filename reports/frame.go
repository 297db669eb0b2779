package reports

import (
	"fmt"
	"slices"

	"github.com/go-gota/gota/dataframe"
	"github.com/go-gota/gota/series"
)

// frame is a tidy table of figures. Everything but the value is an index into
// the section's lists of names, which makes the sort order that of the lists,
// and keeps names away from gota, which reads the name "NA" as a missing value.
type frame struct{ df dataframe.DataFrame }

// figure is a row of a frame. Indices are into the section's lists.
type figure struct {
	run, split, feature, method, topk, metric int
	value                                     float64
}

// Columns of a frame.
const (
	colRun     = "run"
	colSplit   = "split"
	colFeature = "feature"
	colMethod  = "method"
	colTopK    = "topk"
	colMetric  = "metric"
	colValue   = "value"
)

func newFrame(rows []figure) frame {
	column := func(name string, id func(figure) int) series.Series {
		ids := make([]int, len(rows))
		for i, r := range rows {
			ids[i] = id(r)
		}
		return series.New(ids, series.Int, name)
	}
	values := make([]float64, len(rows))
	for i, r := range rows {
		values[i] = r.value
	}
	return frame{dataframe.New(
		column(colRun, func(r figure) int { return r.run }),
		column(colSplit, func(r figure) int { return r.split }),
		column(colFeature, func(r figure) int { return r.feature }),
		column(colMethod, func(r figure) int { return r.method }),
		column(colTopK, func(r figure) int { return r.topk }),
		column(colMetric, func(r figure) int { return r.metric }),
		series.New(values, series.Float, colValue),
	)}
}

// where keeps the rows with the given index in a column.
func (f frame) where(column string, index int) frame {
	if f.empty() {
		return f
	}
	return frame{f.df.Filter(dataframe.F{Colname: column, Comparator: series.Eq, Comparando: index})}
}

// arrange sorts by the given columns, the first one foremost. gota 0.12.0
// sorts wrongly by three columns or more at once (each step permutes the rows
// by the step before alone), but stably by one: so one at a time.
func (f frame) arrange(columns ...string) frame {
	if f.empty() {
		return f
	}
	df := f.df
	for _, c := range slices.Backward(columns) {
		df = df.Arrange(dataframe.Sort(c))
	}
	return frame{df}
}

// empty reports whether there are no rows; gota answers some questions about
// such a table with an error.
func (f frame) empty() bool { return f.df.Err == nil && f.df.Nrow() == 0 }

// figures returns the rows, or the error that gota has kept until now.
func (f frame) figures() ([]figure, error) {
	if f.df.Err != nil {
		return nil, fmt.Errorf("tidy table: %w", f.df.Err)
	}
	rows := make([]figure, f.df.Nrow())
	fields := []struct {
		name string
		set  func(*figure, int)
	}{
		{colRun, func(r *figure, v int) { r.run = v }},
		{colSplit, func(r *figure, v int) { r.split = v }},
		{colFeature, func(r *figure, v int) { r.feature = v }},
		{colMethod, func(r *figure, v int) { r.method = v }},
		{colTopK, func(r *figure, v int) { r.topk = v }},
		{colMetric, func(r *figure, v int) { r.metric = v }},
	}
	for _, field := range fields {
		ids, err := f.df.Col(field.name).Int()
		if err != nil {
			return nil, fmt.Errorf("tidy table, column %s: %w", field.name, err)
		}
		for i, id := range ids {
			field.set(&rows[i], id)
		}
	}
	for i, v := range f.df.Col(colValue).Float() {
		rows[i].value = v
	}
	return rows, nil
}
