# What EventBridge needs to call Sluice: connection, API destination, rule, dead-letter queue with an alarm, and the
# rights that Sluice needs. Optionally the bus of a partner, and a schema registry. The same as
# conf/deploy/eventbridge/eventbridge.yaml.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.30"
    }
  }
}

data "aws_caller_identity" "current" {}

locals {
  bus      = var.partner_event_source == "" ? var.event_bus_name : aws_cloudwatch_event_bus.partner[0].name
  registry = var.registry_name == "" ? 0 : 1
}

# The bus of a partner has the name of its source.
resource "aws_cloudwatch_event_bus" "partner" {
  count             = var.partner_event_source == "" ? 0 : 1
  name              = var.partner_event_source
  event_source_name = var.partner_event_source
}

resource "aws_cloudwatch_event_connection" "sluice" {
  name               = var.name
  description        = "The credential with which EventBridge calls Sluice."
  authorization_type = var.authorization_type

  auth_parameters {
    dynamic "api_key" {
      for_each = var.authorization_type == "API_KEY" ? [1] : []
      content {
        key   = var.api_key_header
        value = var.secret
      }
    }
    dynamic "basic" {
      for_each = var.authorization_type == "BASIC" ? [1] : []
      content {
        username = var.user_name
        password = var.secret
      }
    }
    dynamic "oauth" {
      for_each = var.authorization_type == "OAUTH_CLIENT_CREDENTIALS" ? [1] : []
      content {
        authorization_endpoint = var.token_url
        http_method            = "POST"
        client_parameters {
          client_id     = var.user_name
          client_secret = var.secret
        }
        oauth_http_parameters {
          body {
            key             = "grant_type"
            value           = "client_credentials"
            is_value_secret = false
          }
          body {
            key             = "scope"
            value           = var.scope
            is_value_secret = false
          }
        }
      }
    }
  }
}

resource "aws_cloudwatch_event_api_destination" "sluice" {
  name                             = var.name
  description                      = "Sluice"
  connection_arn                   = aws_cloudwatch_event_connection.sluice.arn
  http_method                      = "POST"
  invocation_endpoint              = var.url
  invocation_rate_limit_per_second = var.calls_per_second
}

resource "aws_cloudwatch_event_rule" "sluice" {
  name           = var.name
  description    = "Events for Sluice."
  event_bus_name = local.bus
  event_pattern  = jsonencode({ source = [{ prefix = var.source_prefix }] })
}

resource "aws_cloudwatch_event_target" "sluice" {
  target_id      = "sluice"
  rule           = aws_cloudwatch_event_rule.sluice.name
  event_bus_name = local.bus
  arn            = aws_cloudwatch_event_api_destination.sluice.arn
  role_arn       = aws_iam_role.invoke.arn

  retry_policy {
    maximum_event_age_in_seconds = var.maximum_event_age_in_seconds
    maximum_retry_attempts       = 185
  }
  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}

# The rule may call this API destination, and nothing else.
resource "aws_iam_role" "invoke" {
  name_prefix = "${var.name}-invoke-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "invoke" {
  name = "invoke"
  role = aws_iam_role.invoke.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "events:InvokeApiDestination"
      Resource = aws_cloudwatch_event_api_destination.sluice.arn
    }]
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 1209600 # 14 days, the longest
  sqs_managed_sse_enabled   = true

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventBridge"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.dead_letters.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.sluice.arn } }
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.name}-dead-letters"
  alarm_description   = "EventBridge has given up events; see `sluice redrive`."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arn == "" ? [] : [var.alarm_topic_arn]
}

resource "aws_glue_registry" "sluice" {
  count         = local.registry
  registry_name = var.registry_name
}

resource "aws_glue_schema" "sluice" {
  count             = local.registry
  schema_name       = var.schema_name
  registry_arn      = aws_glue_registry.sluice[0].arn
  data_format       = "JSON"
  compatibility     = "BACKWARD"
  schema_definition = var.schema_definition
}

# What Sluice reads. Attach it to the role of the machine, the task or the function.
resource "aws_iam_policy" "sluice" {
  name_prefix = "${var.name}-"
  description = "What Sluice reads."
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "Secret"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = [aws_cloudwatch_event_connection.sluice.secret_arn]
        },
        {
          Sid      = "Redrive"
          Effect   = "Allow"
          Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
          Resource = [aws_sqs_queue.dead_letters.arn]
        },
      ],
      [
        for registry in aws_glue_registry.sluice : {
          Sid    = "Schemas"
          Effect = "Allow"
          Action = ["glue:GetSchemaVersion"]
          Resource = [
            registry.arn,
            "${replace(registry.arn, ":registry/", ":schema/")}/*",
          ]
        }
      ]
    )
  })
}
