package ipp

import (
	"fmt"
	"strings"

	"github.com/OpenPrinting/goipp"

	"printq/node"
)

// alerts are what the devices report, as PWG 5100.9 spells it; where there is nothing, one that is empty.
func alerts(p *node.PrinterStatus) []goipp.Attribute {
	var codes, sentences []string
	for i, d := range p.Devices {
		reason := keyword(d.Reason)
		if reason == "" || reason == "none" {
			continue
		}
		severity := "critical"
		switch {
		case strings.HasSuffix(reason, "-warning"):
			severity = "warning"
		case strings.HasSuffix(reason, "-report"):
			severity = "other"
		}
		codes = append(codes, fmt.Sprintf("index=%d;severity=%s;training=other;group=other;groupindex=%d;location=0;code=unknown", len(codes)+1, severity, i+1))
		sentence := reason
		if d.Detail != "" {
			sentence += ": " + d.Detail
		}
		sentences = append(sentences, printable(sentence))
	}
	if codes == nil {
		codes, sentences = []string{""}, []string{""}
	}
	return []goipp.Attribute{octets("printer-alert", codes...), texts("printer-alert-description", sentences...)}
}
