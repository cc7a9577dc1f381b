package main

import (
	"fmt"
	"os"
	"strings"
)

// readSecrets reads the secrets of print heads, by HOST:PORT. An empty path is none.
func readSecrets(path string) (map[string]string, error) {
	secrets := map[string]string{}
	if path == "" {
		return secrets, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--device-secrets: %w", err)
	}
	for i, line := range strings.Split(string(raw), "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
		case len(fields) != 2 || !strings.Contains(fields[0], ":"):
			return nil, usage("--device-secrets: line %d of %s is not HOST:PORT SECRET", i+1, path)
		default:
			secrets[strings.ToLower(fields[0])] = fields[1]
		}
	}
	return secrets, nil
}
