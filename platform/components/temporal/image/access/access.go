// Package access says what a client of Temporal may do: one is who one's certificate says.
package access

import (
	"bytes"
	"fmt"

	"go.temporal.io/server/common/authorization"
	"gopkg.in/yaml.v3"
)

// everywhere stands for all namespaces and for what belongs to none of them, such as their list.
const everywhere = "*"

var roles = map[string]authorization.Role{
	"read":  authorization.RoleReader,
	"write": authorization.RoleWriter,
}

// Mapper gives a client the rights that stand under the common name of its certificate. Temporal's default authorizer
// decides with them. A certificate with another name has no rights, and so has one who shows none.
type Mapper struct {
	clients map[string]authorization.Claims
}

// Parse reads what each client may do: {clients: {<common name>: {<namespace or *>: read | write}}}.
func Parse(text []byte) (*Mapper, error) {
	var file struct {
		Clients map[string]map[string]string `yaml:"clients"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, err
	}
	mapper := &Mapper{clients: map[string]authorization.Claims{}}
	for name, rights := range file.Clients {
		claims := authorization.Claims{Subject: name, AuthType: "mtls", Namespaces: map[string]authorization.Role{}}
		for where, right := range rights {
			role, known := roles[right]
			if !known {
				return nil, fmt.Errorf("client %s has right %q in %q: there are read and write", name, right, where)
			}
			if where == everywhere {
				claims.System = role
			} else {
				claims.Namespaces[where] = role
			}
		}
		mapper.clients[name] = claims
	}
	return mapper, nil
}

// GetClaims implements authorization.ClaimMapper.
func (m *Mapper) GetClaims(info *authorization.AuthInfo) (*authorization.Claims, error) {
	if info.TLSSubject == nil {
		return &authorization.Claims{}, nil
	}
	claims := m.clients[info.TLSSubject.CommonName]
	return &claims, nil
}
