package record

// Status says what became of a query.
type Status string

// The values of the column status.
const (
	Localized Status = "localized" // a pose was found
	Failed    Status = "failed"    // none was found; the reason is in its column
	Skipped   Status = "skipped"   // the method was not tried on this query
)

// AllSplit is the split that holds every query of a scene.
const AllSplit = "all"

// Query is a row of queries.csv: one query under one feature, method and k.
type Query struct {
	Scene   string
	Split   string // the query's own split; [AllSplit] where the scene has no other
	Query   string // image name
	Feature string
	Method  string
	TopK    int // as asked for, even where there are fewer mapping images
	Status  Status
	// TErrM is the distance to the true camera centre in metres, RErrDeg the
	// angle to the true rotation in degrees. NaN where the truth is not known
	// (an empty cell), +Inf where it is but the query was not localized.
	TErrM, RErrDeg float64
	// Inliers and Correspondences are -1 (an empty cell) for methods that have none.
	Inliers, Correspondences int
	Reason                   string
}

// Summary is a row of summary.csv: one figure of a split under one feature,
// method and k.
type Summary struct {
	Scene, Split, Feature, Method string
	TopK                          int
	Metric                        string  // as bench/metrics names it
	Value                         float64 // NaN (an empty cell): not defined, such as the mean of no error
}

// Retrieval is a row of retrieval.csv: one figure of a split under one feature
// and k.
type Retrieval struct {
	Scene, Split, Feature string
	TopK                  int
	Metric                string  // "recall_5m_30deg", …
	Value                 float64 // percent: of queries, of retrieved images, or of points
}
