package localize

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/renameio/v2"

	"locbench/kapture"
	"locbench/kapture/geom"
)

// Style is how visuallocalization.net wants the images of a dataset named. A
// file in the wrong style is accepted by the server and scores nothing.
type Style string

const (
	// StyleDefault: the file's name without folders (Aachen and most others).
	StyleDefault Style = "default"
	// StyleRobotCar: camera and file, the last two parts of the path, such as
	// rear/1417178853389469.jpg (RobotCar Seasons).
	StyleRobotCar Style = "robotcar"
	// StyleFullPath: the path as it is in the dataset (Gangnam, Hyundai).
	StyleFullPath Style = "full-path"
	// StyleRIO10: the path cut at its first dot, and the pose camera→world.
	StyleRIO10 Style = "rio10"
)

// ParseStyle reads the name of a style.
func ParseStyle(s string) (Style, error) {
	all := []Style{StyleDefault, StyleRobotCar, StyleFullPath, StyleRIO10}
	if slices.Contains(all, Style(s)) {
		return Style(s), nil
	}
	return "", fmt.Errorf("want a submission style of default, robotcar, full-path or rio10, found %q", s)
}

// name returns the name that the style gives to an image.
func (s Style) name(image string) string {
	switch s {
	case StyleRobotCar:
		dir, file := path.Split(image)
		return path.Join(path.Base(dir), file)
	case StyleFullPath:
		return image
	case StyleRIO10:
		name, _, _ := strings.Cut(image, ".")
		return name
	}
	return path.Base(image)
}

// NamedPose is the estimated pose of an image, world→camera.
type NamedPose struct {
	Name string // path of the image in the dataset, with slashes
	Pose geom.Pose
}

// WriteSubmission writes localized images to file, one on a line:
//
//	name qw qx qy qz tx ty tz
//
// sorted by name, with the shortest digits that give the same float64 back.
// Images that were not localized are to be left out. Poses are world→camera,
// except in [StyleRIO10].
//
// It refuses, with every problem as a [kapture.InputError]: two images with the
// same name in this style, a name with blanks, a name without a camera's folder
// for [StyleRobotCar], and a pose that is not finite with a unit quaternion.
// The file is written whole or not at all.
func WriteSubmission(file string, style Style, poses []NamedPose) error {
	if _, err := ParseStyle(string(style)); err != nil {
		return err
	}
	lines := make([]submissionLine, len(poses))
	for i, p := range poses {
		lines[i] = submissionLine{name: style.name(p.Name), image: p.Name, pose: p.Pose}
	}
	slices.SortFunc(lines, func(a, b submissionLine) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.image, b.image)
	})
	if err := checkSubmission(file, style, lines); err != nil {
		return err
	}
	var text bytes.Buffer
	for _, l := range lines {
		l.write(&text, style)
	}
	if err := renameio.WriteFile(file, text.Bytes(), 0o644, renameio.WithTempDir(filepath.Dir(file))); err != nil {
		return fmt.Errorf("write submission %s: %w", file, err)
	}
	return nil
}

// CheckNames says why a submission in this style cannot hold all of the images:
// two would have one name, or a name has blanks or lacks the camera's folder.
func CheckNames(style Style, images []string) error {
	seen := make(map[string]string, len(images))
	for _, image := range images {
		l := submissionLine{name: style.name(image), image: image}
		if msg := l.nameProblem(style); msg != "" {
			return errors.New(msg)
		}
		if other, ok := seen[l.name]; ok {
			return fmt.Errorf("want a different name for each image, found %q for both %s and %s (style %s)", l.name, other, image, style)
		}
		seen[l.name] = image
	}
	return nil
}

// submissionLine is one image under the name that a style gives it.
type submissionLine struct {
	name, image string
	pose        geom.Pose
}

func (l submissionLine) write(w *bytes.Buffer, style Style) {
	p := l.pose
	if style == StyleRIO10 {
		p = p.Inverse()
	}
	w.WriteString(l.name)
	for _, x := range [...]float64{p.R.Real, p.R.Imag, p.R.Jmag, p.R.Kmag, p.T.X, p.T.Y, p.T.Z} {
		w.WriteByte(' ')
		w.WriteString(strconv.FormatFloat(x+0, 'g', -1, 64)) // +0 makes −0 a plain 0
	}
	w.WriteByte('\n')
}

// checkSubmission returns what is wrong with the lines, sorted by name.
func checkSubmission(file string, style Style, lines []submissionLine) error {
	const maxListed = 10
	var problems []error
	for i, l := range lines {
		if i > 0 && lines[i-1].name == l.name {
			problems = append(problems, &kapture.InputError{Path: file, Msg: fmt.Sprintf("want a different name for each image, found %q for both %s and %s (style %s)", l.name, lines[i-1].image, l.image, style)})
		}
		if msg := l.problem(style); msg != "" {
			problems = append(problems, &kapture.InputError{Path: file, Msg: msg})
		}
	}
	if more := len(problems) - maxListed; more > 0 {
		problems = append(problems[:maxListed], fmt.Errorf("and %d more", more))
	}
	return errors.Join(problems...)
}

func (l submissionLine) problem(style Style) string {
	if !valid(l.pose) {
		return fmt.Sprintf("want a finite pose with a unit quaternion, found %v for %s", l.pose, l.image)
	}
	return l.nameProblem(style)
}

func (l submissionLine) nameProblem(style Style) string {
	switch {
	case l.name == "" || l.name == "." || strings.ContainsFunc(l.name, unicode.IsSpace):
		return fmt.Sprintf("want a name without blanks (they separate the columns), found %q for %s", l.name, l.image)
	case style == StyleRobotCar && !strings.Contains(l.image, "/"):
		return fmt.Sprintf("want camera/file for style robotcar, found %s", l.image)
	}
	return ""
}
