terraform {
  # Conditions of one variable that look at another came with 1.9.
  required_version = ">= 1.9"
}
