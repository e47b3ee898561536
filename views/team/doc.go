// Package team draws the people of a business: roles, invitations and the hand-over of their work.
package team
