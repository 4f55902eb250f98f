//! The names of the registry's settings. Those with an effect are explained in `mod.rs` and `admission.rs`.

/// Every name that is no mistake.
pub(super) const KNOWN: &[&str] = &[
    "REGISTRY_HTTP_ACCEL",
    "REGISTRY_HTTP_ADDR",
    "REGISTRY_HTTP_HOST",
    "REGISTRY_HTTP_TLS_CERTIFICATE",
    "REGISTRY_HTTP_TLS_KEY",
    "REGISTRY_HTTP_TLS_MINIMUMTLS",
    "REGISTRY_HTTP_ALLOW",
    "REGISTRY_HTTP_TRUSTED_PROXIES",
    "REGISTRY_STORAGE",
    "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY",
    "REGISTRY_STORAGE_DELETE_ENABLED",
    "REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED",
    "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_ENABLED",
    "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE",
    "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_INTERVAL",
    "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_DRYRUN",
    "REGISTRY_INDEX_URL",
    "REGISTRY_INDEX_SECRET",
    "REGISTRY_INDEX_SECRET_FILE",
    "REGISTRY_INDEX_GRACE",
    "REGISTRY_AUTH",
    "REGISTRY_AUTH_TOKEN_REALM",
    "REGISTRY_AUTH_TOKEN_SERVICE",
    "REGISTRY_AUTH_TOKEN_ISSUER",
    "REGISTRY_AUTH_HTPASSWD_PATH",
    "REGISTRY_AUTH_HTPASSWD_REALM",
    "REGISTRY_LOG_LEVEL",
    // What these ask for is so in any case: no upload's state is in a URL that would need a signature, a `Location` is
    // relative unless a host is set, links and ids are read at each request, and `/readyz` looks at the storage.
    "REGISTRY_VERSION",
    "REGISTRY_LOG_FIELDS_SERVICE",
    "REGISTRY_HTTP_SECRET",
    "REGISTRY_HTTP_RELATIVEURLS",
    "REGISTRY_HTTP_HEADERS_X-CONTENT-TYPE-OPTIONS",
    "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR",
    "REGISTRY_HEALTH_STORAGEDRIVER_ENABLED",
    "REGISTRY_HEALTH_STORAGEDRIVER_INTERVAL",
    "REGISTRY_HEALTH_STORAGEDRIVER_THRESHOLD",
];

/// Those that say one word or hold a map.
pub(super) const WORDS_OR_MAPS: &[&str] = &["REGISTRY_STORAGE", "REGISTRY_AUTH"];

/// Beginnings of names by which something is forbidden.
pub(super) const FORBIDDING: &[&str] = &["REGISTRY_STORAGE_DELETE", "REGISTRY_STORAGE_MAINTENANCE_READONLY"];

/// Beginnings of names that Distribution knows and that must not be ignored, and why not.
pub(super) const REFUSED: &[(&str, &str)] = &[
    (
        "REGISTRY_HTTP_TLS_CLIENTCAS",
        "this registry does not ask clients for certificates; let a proxy in front do that",
    ),
    ("REGISTRY_HTTP_TLS_LETSENCRYPT", "this registry does not fetch certificates; give it files"),
    ("REGISTRY_PROXY_REMOTEURL", "this registry is no pull-through cache"),
    ("REGISTRY_STORAGE_S3", "this registry stores on a file system only"),
    ("REGISTRY_STORAGE_AZURE", "this registry stores on a file system only"),
    ("REGISTRY_STORAGE_GCS", "this registry stores on a file system only"),
    ("REGISTRY_STORAGE_OSS", "this registry stores on a file system only"),
    ("REGISTRY_STORAGE_SWIFT", "this registry stores on a file system only"),
    ("REGISTRY_STORAGE_RADOS", "this registry stores on a file system only"),
    ("REGISTRY_STORAGE_COS", "this registry stores on a file system only"),
    ("REGISTRY_STORAGE_B2", "this registry stores on a file system only"),
    ("REGISTRY_STORAGE_INMEMORY", "this registry stores on a file system only"),
];
