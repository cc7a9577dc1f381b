package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"printq/http/api"
	"printq/integration/bench/load"
)

// Tail follows the log of a member.
func (c *Client) Tail(ctx context.Context, fromStart bool, ready func(), line func(uint64) bool) error {
	query := "follow=true"
	if fromStart {
		query += "&from=beginning"
	}
	resp, err := c.get(ctx, "/v1/log?"+query)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	ready()
	r := bufio.NewReaderSize(resp.Body, 64<<10)
	for {
		text, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte(`"type":"submit"`)) && !line(numberOf(text)) {
			return nil
		}
	}
}

// numberOf is the document's that a line tells of.
func numberOf(line []byte) uint64 {
	_, name, _ := bytes.Cut(line, []byte(`"name":"`))
	return load.Number(name)
}

// Leader asks each member until one knows.
func (c *Client) Leader(ctx context.Context) (int, error) {
	resp, err := c.get(ctx, "/v1/cluster")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var v api.Cluster
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		return 0, err
	}
	if v.Leader == 0 {
		return 0, fmt.Errorf("no member leads")
	}
	return int(v.Leader) - 1, nil
}

// get asks one member after the other, each time beginning at the next.
func (c *Client) get(ctx context.Context, path string) (*http.Response, error) {
	var failed error
	for range c.endpoints {
		endpoint := c.endpoints[int(c.turn.Add(1))%len(c.endpoints)]
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+endpoint+path, nil)
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(r)
		if err == nil && resp.StatusCode == http.StatusOK {
			return resp, nil
		}
		if err == nil {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
			resp.Body.Close()
			err = fmt.Errorf("GET %s: %s: %s", path, resp.Status, text)
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}
