"""Hostile workflow files, checked in processes with little time and memory."""
