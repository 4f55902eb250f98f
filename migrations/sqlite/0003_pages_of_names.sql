-- A page of repositories begins at a name: within each namespace that somebody may see, and among all that are public.

DROP INDEX repositories_by_namespace;
CREATE INDEX repositories_by_namespace ON repositories (namespace_id, name);
CREATE INDEX public_repositories_by_name ON repositories (name) WHERE visibility = 'public' AND deleted_at IS NULL;
