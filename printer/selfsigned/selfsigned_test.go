package selfsigned

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "server.pem")
	made, err := Load(path, "a server", "print.example", "127.0.0.1", "::1")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"print.example", "127.0.0.1", "::1"} {
		if err := made.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: others must not read the key", info, err)
	}
	again, err := Load(path, "another", "elsewhere")
	if err != nil || !bytes.Equal(again.Leaf.Raw, made.Leaf.Raw) {
		t.Errorf("what was made once is not kept: %v", err)
	}
	if err := os.WriteFile(path, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, "a server"); err == nil {
		t.Error("a file without a key is taken")
	}
}
