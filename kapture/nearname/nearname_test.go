package nearname

import (
	"slices"
	"testing"
)

func TestEditDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"demo", "dmeo", 1}, {"kitten", "sitting", 3}, {"é", "e", 1}, {"ca", "abc", 3},
	}
	for _, tt := range tests {
		if got := editDistance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q to %q: got %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := editDistance(tt.b, tt.a); got != tt.want {
			t.Errorf("%q to %q: got %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}

func TestClosest(t *testing.T) {
	known := []string{"aachen", "demo", "virtual_gallery_tutorial"}
	for s, want := range map[string][]string{
		"demmo": {"demo"}, "virtual_gallery": {"virtual_gallery_tutorial"}, "AACHEN": {"aachen"}, "robotcar": nil, "": nil,
	} {
		if got := Closest(s, known); !slices.Equal(got, want) {
			t.Errorf("%q: want %v, found %v", s, want, got)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	for _, c := range []struct {
		near []string
		want string
	}{{nil, ""}, {[]string{"a"}, "; did you mean a?"}, {[]string{"a", "b", "c"}, "; did you mean a, b or c?"}} {
		if got := DidYouMean(c.near); got != c.want {
			t.Errorf("want %q, found %q", c.want, got)
		}
	}
}
