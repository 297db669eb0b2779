package bench

import (
	"encoding/csv"
	"io"

	"locbench/bench/record"
)

// writeCSV writes a table with a header.
func writeCSV(path string, header []string, rows [][]string) error {
	return record.WriteFile(path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		if err := c.Write(header); err != nil {
			return err
		}
		return c.WriteAll(rows)
	})
}
