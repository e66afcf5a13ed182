variable "name" {
  type        = string
  default     = "sluice"
  description = "Name of connection, API destination and rule, and the start of other names."
}

variable "url" {
  type        = string
  description = "Where Sluice takes events."
  validation {
    condition     = can(regex("^https://.+/events$", var.url))
    error_message = "The URL must be https and end in /events."
  }
}

variable "source_prefix" {
  type        = string
  default     = "aws.partner/genesys.com"
  description = "Events whose source begins with this are sent."
}

variable "event_bus_name" {
  type        = string
  default     = "default"
  description = "An existing bus. Not used with partner_event_source."
}

variable "partner_event_source" {
  type        = string
  default     = ""
  description = "Name of a partner's event source, aws.partner/genesys.com/cloud/...; its bus is created."
}

variable "authorization_type" {
  type        = string
  default     = "API_KEY"
  description = "How EventBridge shows its credential."
  validation {
    condition     = contains(["API_KEY", "BASIC", "OAUTH_CLIENT_CREDENTIALS"], var.authorization_type)
    error_message = "The type must be API_KEY, BASIC or OAUTH_CLIENT_CREDENTIALS."
  }
}

variable "api_key_header" {
  type        = string
  default     = "x-api-key"
  description = "API_KEY: the header."
}

variable "user_name" {
  type        = string
  default     = "eventbridge"
  description = "The user of BASIC, or the client's id of OAUTH_CLIENT_CREDENTIALS."
}

variable "secret" {
  type        = string
  sensitive   = true
  description = "The API key, the password, or the client's secret."
  validation {
    condition     = length(var.secret) >= 16
    error_message = "The secret must have at least 16 characters."
  }
}

variable "token_url" {
  type        = string
  default     = "https://idp.example/token"
  description = "OAUTH_CLIENT_CREDENTIALS: where tokens are issued."
}

variable "scope" {
  type        = string
  default     = "events/write"
  description = "OAUTH_CLIENT_CREDENTIALS: what is asked for."
}

variable "calls_per_second" {
  type        = number
  default     = 300
  description = "The most calls a second."
  validation {
    condition     = var.calls_per_second >= 1 && var.calls_per_second <= 300
    error_message = "EventBridge makes 1 to 300 calls a second."
  }
}

variable "maximum_event_age_in_seconds" {
  type        = number
  default     = 86400
  description = "How long EventBridge retries. Less than store.dedup_window of Sluice."
  validation {
    condition     = var.maximum_event_age_in_seconds >= 60 && var.maximum_event_age_in_seconds <= 86400
    error_message = "EventBridge retries for 60 to 86400 seconds."
  }
}

variable "alarm_topic_arn" {
  type        = string
  default     = ""
  description = "Topic of SNS for the alarm of the dead-letter queue."
}

variable "registry_name" {
  type        = string
  default     = ""
  description = "Schema registry of AWS Glue to create; with registry.kind glue in Sluice."
}

variable "schema_name" {
  type        = string
  default     = "InteractionStartedSchema"
  description = "The schema in this registry."
}

variable "schema_definition" {
  type        = string
  default     = "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"type\":\"object\"}"
  description = "The first version of the schema."
}
