// Package namespaces keeps Temporal's namespaces as they are declared.
package namespaces

import (
	"bytes"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"gopkg.in/yaml.v3"
)

// Wanted is what a namespace should be.
type Wanted struct {
	// Retention is how long the history of a workflow is kept that has ended.
	Retention time.Duration
	// Attributes are what workflows can be searched for, besides what Temporal knows of each.
	Attributes map[string]enumspb.IndexedValueType
}

// Parse reads {<namespace>: {retention: <duration>, search_attributes: {<name>: <type>}}}; types are Temporal's, such as Keyword.
func Parse(text []byte) (map[string]Wanted, error) {
	var file map[string]struct {
		Retention        time.Duration     `yaml:"retention"`
		SearchAttributes map[string]string `yaml:"search_attributes"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, err
	}
	found := map[string]Wanted{}
	for name, said := range file {
		// Temporal's own smallest retention of a namespace that has no replica.
		if said.Retention < time.Hour {
			return nil, fmt.Errorf("namespace %s: retention %s is less than an hour", name, said.Retention)
		}
		wanted := Wanted{Retention: said.Retention, Attributes: map[string]enumspb.IndexedValueType{}}
		for attribute, kind := range said.SearchAttributes {
			value, err := enumspb.IndexedValueTypeFromString(kind)
			if err != nil || value == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
				return nil, fmt.Errorf("namespace %s: search attribute %s is of no known type: %q", name, attribute, kind)
			}
			wanted.Attributes[attribute] = value
		}
		found[name] = wanted
	}
	return found, nil
}
