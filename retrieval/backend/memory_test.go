package backend

import "testing"

func TestParseMeminfo(t *testing.T) {
	for text, want := range map[string]string{
		"MemTotal:       25165824 kB\nMemFree: 1 kB\nMemAvailable:   20971520 kB\n": "24.0 GiB, 20.0 GiB free",
		"MemTotal:       25165824 kB\n":                                             "",
		"":                                                                          "",
	} {
		if got := parseMeminfo(text); got != want {
			t.Errorf("want %q, found %q", want, got)
		}
	}
}

func TestParseDriver(t *testing.T) {
	for text, want := range map[string]string{
		"143771, 143360\n10, 5\n":  "140.4 GiB, 140.0 GiB free",
		"No devices were found\n":  "",
		"[Not Supported], [N/A]\n": "",
	} {
		if got := parseDriver(text); got != want {
			t.Errorf("want %q, found %q", want, got)
		}
	}
}
