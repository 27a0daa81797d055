"""The user's configuration: profiles and aliases in TOML files, read where they are asked for and nowhere else."""
