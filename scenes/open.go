package scenes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"locbench/kapture"
)

// Options says where to look for known scenes.
type Options struct {
	DataRoot string // see [DataRoot]; empty: from the environment
}

// Open opens the scene that ref names: a known scene, a folder, or a scene file
// (*.yaml, *.yml). A name that is both a known scene and a folder here is the
// known scene; ./name is the folder.
//
// Errors: [UnknownSceneError], [NotInstalledError], and [kapture.InputError]
// for a folder that is no scene, a broken scene file or a broken dataset.
func Open(ref string, o Options) (*Scene, error) {
	s, err := open(ref, o)
	switch err.(type) {
	case nil:
		return s, nil
	case *UnknownSceneError, *NotInstalledError: // they name the scene
		return nil, err
	}
	return nil, fmt.Errorf("open scene %s: %w", ref, err)
}

func open(ref string, o Options) (*Scene, error) {
	card, unknown := Find(ref)
	if unknown == nil {
		return openKnown(card, o)
	}
	info, err := os.Stat(ref)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, unknown
	case err != nil:
		return nil, err
	case info.IsDir():
		return openFolder(ref)
	case strings.HasSuffix(ref, ".yaml") || strings.HasSuffix(ref, ".yml"):
		return openFile(ref)
	}
	return nil, &kapture.InputError{Path: ref, Msg: "want a scene: a directory, a scene file (*.yaml) or a known name; found another kind of file"}
}

func openKnown(card *Card, o Options) (*Scene, error) {
	root, err := DataRoot(o.DataRoot)
	if err != nil {
		return nil, err
	}
	dir := card.Folder(root)
	if !card.Installed(root) {
		missing := &NotInstalledError{Name: card.Name, Looked: dir, Get: card.HowToGet(dir)}
		if info, err := os.Stat(card.Name); err == nil && info.IsDir() {
			missing.Here = "./" + card.Name
		}
		return nil, missing
	}
	if card.Kind == KindRetrieval {
		return nil, &kapture.InputError{Path: dir, Msg: fmt.Sprintf("want a scene to localize in, found the retrieval data set %s, which is for locbench eval", card.Name)}
	}
	if card.Generate == nil {
		return build(card, dir, "", "known scene "+card.Name)
	}
	s, err := openFile(filepath.Join(dir, sceneFile))
	if err != nil {
		return nil, err
	}
	s.Name = card.Name
	return s, nil
}

// openFile opens a scene file; its name, if it has none, is the file's, or the
// folder's if the file is scene.yaml.
func openFile(path string) (*Scene, error) {
	if err := kapture.CheckFile(path); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	card, err := parseCard(path, text)
	if err != nil {
		return nil, err
	}
	if len(card.Mapping) == 0 {
		return nil, &kapture.InputError{Path: path, Msg: "want mapping and queries; only an embedded card may leave them to generate"}
	}
	if card.Generate != nil {
		return nil, &kapture.InputError{Path: path, Msg: "generate is for known scenes: leave it out of a scene file"}
	}
	if card.Root != "" {
		return nil, &kapture.InputError{Path: path, Msg: "root is for known scenes: in a scene file, write folders relative to the file"}
	}
	dir := filepath.Dir(path)
	if card.Name == "" {
		card.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if filepath.Base(path) == sceneFile {
			card.Name = folderName(dir)
		}
	}
	return build(card, dir, path, "scene file "+path)
}

func openFolder(dir string) (*Scene, error) {
	path := filepath.Join(dir, sceneFile)
	if _, err := os.Stat(path); err == nil {
		return openFile(path)
	}
	card, err := cardOfFolder(dir)
	if err != nil {
		return nil, err
	}
	return build(card, dir, "", "kapture directory: the field's usual three; set them in scene.yaml")
}

// folderName returns the base name of a folder, also of "." and "..".
func folderName(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return filepath.Base(dir)
}
