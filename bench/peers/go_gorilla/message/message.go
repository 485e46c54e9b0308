// Package message holds what a feed brings, for easyjson's command to write a decoder for: docs/protocol.md 2. It is a
// package of its own because that command imports it.
package message

import "github.com/mailru/easyjson"

//easyjson:json
type Message struct {
	Container Container `json:"NotificationContainer"`
}

//easyjson:json
type Container struct {
	Type          string         `json:"type"`
	Size          int            `json:"size"`
	Notifications []Notification `json:"ActivityNotification"`
}

//easyjson:json
type Notification struct {
	Event    string   `json:"event"`
	UUID     string   `json:"uuid"`
	Activity Activity `json:"Activity"`
}

//easyjson:json
type Activity struct {
	UUID        string              `json:"uuid"`
	Type        string              `json:"type"`
	Cancellable bool                `json:"cancellable"`
	UserID      int64               `json:"userID"`
	Title       string              `json:"title"`
	Subtitle    string              `json:"subtitle"`
	Progress    int                 `json:"progress"`
	Context     easyjson.RawMessage `json:"Context"`
}
