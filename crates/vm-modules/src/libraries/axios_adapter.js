// axios brings adapters for browsers and for Node; here it sends with fetch, which a capability of kind net gives.
if (typeof axios === "function" && axios.defaults) {
    const answer = async (config, signals) => {
        const { responseType = "text", validateStatus } = config;
        const response = await fetch(axios.getUri(config), {
            method: config.method, headers: Object.entries(config.headers.toJSON()), body: config.data,
            signal: signals[1] ? AbortSignal.any(signals) : signals[0],
        });
        const data = responseType === "arraybuffer" ? await response.arrayBuffer() : await response.text();
        const { status, statusText } = response;
        const headers = axios.AxiosHeaders.from(Object.fromEntries(response.headers));
        const answered = { data, status, statusText, headers, config, request: null };
        if (!validateStatus || validateStatus(status)) return answered;
        const code = status < 500 ? "ERR_BAD_REQUEST" : "ERR_BAD_RESPONSE";
        throw new axios.AxiosError(`Request failed with status code ${status}`, code, config, null, answered);
    };
    const givenUp = (error, config) => {
        if (error.name === "TimeoutError")
            return new axios.AxiosError(`timeout of ${config.timeout}ms exceeded`, "ECONNABORTED", config);
        return error.name === "AbortError" ? new axios.CanceledError(undefined, config) : error;
    };
    axios.defaults.adapter = async config => {
        if (typeof fetch !== "function") {
            const message = "this session has no fetch: its template needs a capability of kind net that names the host";
            throw new axios.AxiosError(message, "ERR_NETWORK", config);
        }
        const signals = [config.signal, config.timeout && AbortSignal.timeout(config.timeout)].filter(Boolean);
        return answer(config, signals).catch(error => { throw givenUp(error, config) });
    };
}
