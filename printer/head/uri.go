package head

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Port is where a head listens if nothing else is said.
const Port = "8634"

// Parse is the head at //HOST[:PORT], with the option pin, the SHA-256 of its public key in hex: without it the first that answers there is
// taken, and the log remembers it. Secrets are by HOST:PORT.
func Parse(address string, options url.Values, secrets map[string]string) (*Device, error) {
	host, port, err := net.SplitHostPort(strings.TrimPrefix(address, "//"))
	if err != nil {
		host, port = strings.TrimPrefix(address, "//"), Port
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if !strings.HasPrefix(address, "//") || host == "" || strings.ContainsAny(host, "/@") {
		return nil, fmt.Errorf("want head://HOST[:PORT], and no secret in it: printq serve --device-secrets FILE has it")
	}
	pin := strings.ToLower(options.Get("pin"))
	if raw, err := hex.DecodeString(pin); err != nil || len(raw) != 0 && len(raw) != 32 {
		return nil, fmt.Errorf("pin=%s is no SHA-256 in hex: printq head says its identity when it starts", options.Get("pin"))
	}
	for name := range options {
		if name != "pin" {
			return nil, fmt.Errorf("unknown option %q; a head has pin and member", name)
		}
	}
	at := net.JoinHostPort(strings.ToLower(host), port)
	return New(at, secrets[at], pin), nil
}
