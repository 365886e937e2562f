// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import "net/http"

// The JSON of ProjectAccessInfo, as far as it is used.
type (
	accessInfo struct {
		Inherits *accessParent            `json:"inherits_from,omitempty"`
		Local    map[string]accessSection `json:"local"`
		Visible  bool                     `json:"config_visible"`
		Groups   map[string]accessGroup   `json:"groups"`
	}
	accessParent struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	accessSection struct {
		Permissions map[string]accessPermission `json:"permissions"`
	}
	accessPermission struct {
		Label string                `json:"label,omitempty"`
		Rules map[string]accessRule `json:"rules"`
	}
	accessRule struct {
		Action string `json:"action"`
		Min    int    `json:"min"`
		Max    int    `json:"max"`
	}
	accessGroup struct {
		Name string `json:"name"`
	}
)

// allProjects has the labels' rights; all projects inherit them.
const allProjects = "All-Projects"

// listAccess tells the access rights of projects, as far as they are about labels.
// An account that may not read refs/meta/config is told that there are some, and
// none of them (GetAccess; seen on a real 3.13.5).
func (s *Server) listAccess(c call) {
	all := map[string]accessInfo{}
	for _, name := range c.r.URL.Query()["project"] {
		if name != allProjects && s.projects[name] == nil {
			c.fail(http.StatusNotFound, "%s", name)
			return
		}
		info := accessInfo{Local: map[string]accessSection{}, Groups: map[string]accessGroup{}, Visible: c.viewer != nil && c.viewer.seesAccess}
		if name != allProjects {
			info.Inherits = &accessParent{ID: allProjects, Name: allProjects}
		} else {
			s.fillAccess(&info)
		}
		all[name] = info
	}
	c.json(all)
}

func (s *Server) fillAccess(info *accessInfo) {
	section := accessSection{Permissions: map[string]accessPermission{}}
	for _, l := range s.labels {
		rules := map[string]accessRule{}
		for _, group := range l.Voters {
			id := "uuid-of-" + group
			info.Groups[id] = accessGroup{Name: group}
			rules[id] = accessRule{Action: "ALLOW", Min: l.Min, Max: l.Max}
		}
		if len(rules) > 0 && info.Visible {
			section.Permissions["label-"+l.Name] = accessPermission{Label: l.Name, Rules: rules}
		}
	}
	info.Local["refs/heads/*"] = section
}
