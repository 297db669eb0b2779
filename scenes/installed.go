package scenes

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/google/renameio/v2"

	"locbench/kapture"
	"locbench/scenes/fetch"
)

// Files beside the data, under the data root. The first two are those of kapture's
// downloader, which knows an archive that locbench installed, and the other way
// round: YAML lists, of the names of archives and of the addresses of licences.
const (
	installedFile = "kapture_dataset_installed.yaml"
	licencesFile  = "kapture_dataset_licenses.yaml"
	installState  = ".locbench" // index, archives on their way, lists of files
)

// readNames reads a YAML list; none if it is not there.
func readNames(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	if err := yaml.Unmarshal(text, &names); err != nil {
		return nil, &kapture.InputError{Path: file, Msg: fmt.Sprintf("want a YAML list of names, as kapture's downloader writes it: %s", firstLine(err))}
	}
	return names, nil
}

// firstLine leaves the excerpt of the file out that errors in YAML end with.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// writeNames writes a YAML list, sorted, each name once.
func writeNames(file string, names []string) error {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	text, err := yaml.Marshal(names)
	if err != nil {
		return err
	}
	return renameio.WriteFile(file, text, 0o644)
}

func fileList(dataRoot, archive string) string {
	return filepath.Join(dataRoot, installState, "installed", archive+".sha256")
}

const ofArchive = "# archive " // the first line of a list of files: the archive's own hash

// writeFileList writes hashes as sha256sum does; a link has dashes for its hash.
func writeFileList(path, archive string, files []fetch.Unpacked) error {
	var b strings.Builder
	b.WriteString(ofArchive + strings.ToLower(archive) + "\n")
	for _, f := range files {
		sum := f.SHA256
		if sum == "" {
			sum = strings.Repeat("-", 64)
		}
		b.WriteString(sum + "  " + f.Path + "\n")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return renameio.WriteFile(path, []byte(b.String()), 0o644)
}

// sameArchive reports whether a list of files is of the archive with that hash. An
// archive without a list was installed by another program, which is believed.
func sameArchive(list, sha string) bool {
	in, err := os.Open(list)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer in.Close()
	line, err := bufio.NewReader(in).ReadString('\n')
	return err == nil && strings.EqualFold(strings.TrimSpace(line), ofArchive+sha)
}

// Verified is what [VerifyInstalled] found.
type Verified struct {
	Files   int      // that were looked at
	Wrong   []string // path and what is wrong: missing or changed
	Unknown []string // archives that another program installed: no list of their files
}

// VerifyInstalled hashes the files of a known scene's archives again and returns
// what is wrong.
func VerifyInstalled(ctx context.Context, card *Card, dataRoot string) (Verified, error) {
	var out Verified
	installed, err := readNames(filepath.Join(dataRoot, installedFile))
	if err != nil {
		return out, err
	}
	var names []string
	for _, name := range installed {
		if matchesAny(card.Archives, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		wrong, files, err := verifyList(ctx, dataRoot, fileList(dataRoot, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			out.Unknown = append(out.Unknown, name)
		case err != nil:
			return out, err
		}
		out.Wrong, out.Files = append(out.Wrong, wrong...), out.Files+files
	}
	return out, nil
}

func verifyList(ctx context.Context, dataRoot, list string) (wrong []string, files int, err error) {
	in, err := os.Open(list)
	if err != nil {
		return nil, 0, err
	}
	defer in.Close()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if err := ctx.Err(); err != nil {
			return wrong, files, err
		}
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		want, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok || !filepath.IsLocal(filepath.FromSlash(name)) {
			return wrong, files, &kapture.InputError{Path: list, Line: n, Msg: fmt.Sprintf("want a hash and a path, found %q", lines.Text())}
		}
		files++
		file := filepath.Join(dataRoot, filepath.FromSlash(name))
		if strings.HasPrefix(want, "-") {
			if _, err := os.Lstat(file); err != nil {
				wrong = append(wrong, name+": missing")
			}
			continue
		}
		switch sum, err := fetch.HashFile(ctx, file); {
		case errors.Is(err, fs.ErrNotExist):
			wrong = append(wrong, name+": missing")
		case err != nil:
			return wrong, files, err
		case sum != want:
			wrong = append(wrong, fmt.Sprintf("%s: want the SHA-256 %s, found %s", name, want, sum))
		}
	}
	return wrong, files, lines.Err()
}
