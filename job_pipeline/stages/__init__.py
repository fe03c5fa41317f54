"""What the stages of the shipped pipelines do. One file for each stage, and one for each thing they share."""
